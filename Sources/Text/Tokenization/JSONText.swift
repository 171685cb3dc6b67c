import Files
import Foundation

/// A JSON text, checked as a whole once and read in place, part by part, as parts are asked for.
///
/// A tokenizer.json is 18 MB of half a million short strings. Building a tree of them takes
/// Foundation seconds; walking them takes this a tenth of one.
final class JSONText: Sendable {
  /// The UTF-8 of the text, valid and of correct grammar.
  let bytes: [UInt8]
  /// What error messages call the text, most often its path.
  let name: String

  /// Checks a text; `name` stands for it in error messages.
  ///
  /// - Throws: `SpeculateError` when the bytes are not one JSON value in UTF-8.
  init(_ data: Data, name: String) throws {
    bytes = Array(data)
    self.name = name
    guard bytes.withUnsafeBufferPointer({ String(validating: $0, as: UTF8.self) }) != nil else {
      throw SpeculateError("\(name) is not UTF-8; copy the file again")
    }
    let end = try skipSpace(skip(from: skipSpace(0), depth: 0))
    guard end == bytes.count else { throw malformed(at: end) }
  }

  /// The whole value.
  var root: JSONNode {
    var end = bytes.count
    while end > 0, Self.isSpace(bytes[end - 1]) { end -= 1 }
    return JSONNode(text: self, span: skipSpace(0)..<end)
  }

  static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  func skipSpace(_ start: Int) -> Int {
    var index = start
    while index < bytes.count, Self.isSpace(bytes[index]) { index += 1 }
    return index
  }

  /// The end of the value that begins at `start`.
  func skip(from start: Int, depth: Int) throws -> Int {
    guard start < bytes.count, depth < 128 else { throw malformed(at: start) }
    switch bytes[start] {
    case UInt8(ascii: "\""): return try skipString(from: start)
    case UInt8(ascii: "{"):
      return try skipList(from: start, until: UInt8(ascii: "}")) { index in
        let colon = try skipSpace(skipString(from: index))
        guard colon < bytes.count, bytes[colon] == UInt8(ascii: ":") else {
          throw malformed(at: colon)
        }
        return try skip(from: skipSpace(colon + 1), depth: depth + 1)
      }
    case UInt8(ascii: "["):
      return try skipList(from: start, until: UInt8(ascii: "]")) { index in
        try skip(from: index, depth: depth + 1)
      }
    case UInt8(ascii: "t"): return try skipWord("true", from: start)
    case UInt8(ascii: "f"): return try skipWord("false", from: start)
    case UInt8(ascii: "n"): return try skipWord("null", from: start)
    default: return try skipNumber(from: start)
    }
  }

  private func skipList(
    from start: Int, until close: UInt8, _ skipItem: (Int) throws -> Int
  ) throws -> Int {
    var index = skipSpace(start + 1)
    if index < bytes.count, bytes[index] == close { return index + 1 }
    while true {
      index = try skipSpace(skipItem(index))
      guard index < bytes.count else { throw malformed(at: index) }
      if bytes[index] == close { return index + 1 }
      guard bytes[index] == UInt8(ascii: ",") else { throw malformed(at: index) }
      index = skipSpace(index + 1)
    }
  }

  func skipString(from start: Int) throws -> Int {
    guard start < bytes.count, bytes[start] == UInt8(ascii: "\"") else {
      throw malformed(at: start)
    }
    var index = start + 1
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""): return index + 1
      case UInt8(ascii: "\\"):
        guard let (_, end) = JSONEscape.scalar(in: bytes, at: index) else {
          throw malformed(at: index)
        }
        index = end
      case 0..<0x20: throw malformed(at: index)
      default: index += 1
      }
    }
    throw malformed(at: index)
  }

  private func skipWord(_ word: StaticString, from start: Int) throws -> Int {
    let end = start + word.utf8CodeUnitCount
    guard end <= bytes.count,
      (start..<end).allSatisfy({ bytes[$0] == word.utf8Start[$0 - start] })
    else { throw malformed(at: start) }
    return end
  }

  private func skipNumber(from start: Int) throws -> Int {
    var index = start
    while index < bytes.count, Self.isNumeric(bytes[index]) { index += 1 }
    guard Double(String(decoding: bytes[start..<index], as: UTF8.self)) != nil else {
      throw malformed(at: start)
    }
    return index
  }

  private static func isNumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
      UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  private func malformed(at index: Int) -> SpeculateError {
    let what = index >= bytes.count ? "it ends too early" : "byte \(index) is not expected"
    return SpeculateError("\(name) is not valid JSON: \(what); copy the file again")
  }
}
