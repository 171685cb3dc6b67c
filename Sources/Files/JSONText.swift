package import Foundation

/// A JSON text (RFC 8259, with a limit on nesting), checked as a whole once and read in place, part
/// by part, as parts are asked for. A byte order mark in front is no part of it.
///
/// A tokenizer.json is 18 MB of half a million short strings. Building a tree of them takes
/// Foundation seconds; walking them takes this a tenth of one.
package final class JSONText: Sendable {
  private static let depthLimit = 128

  /// The text, valid and of correct grammar.
  package let bytes: [UInt8]
  /// What error messages call the text, most often its path.
  package let name: String
  private let isUTF8: Bool
  private let start: Int

  /// Checks a text.
  ///
  /// - Throws: `SpeculateError` whose text names the byte and the problem, without a file name.
  package init(_ bytes: [UInt8], name: String = "the text") throws {
    self.bytes = bytes
    self.name = name
    isUTF8 = bytes.withUnsafeBufferPointer { String(validating: $0, as: UTF8.self) } != nil
    start = byteOrderMarkCount(bytes)
    let end = try skipSpace(skip(from: skipSpace(start)))
    guard end == bytes.count else { throw problem("text after the end of the document", at: end) }
  }

  /// Checks a file's text; `name` stands for it in error messages.
  ///
  /// - Throws: `SpeculateError` that begins with the name.
  package convenience init(_ data: Data, name: String) throws {
    do {
      try self.init(Array(data), name: name)
    } catch {
      throw SpeculateError("\(name) is \(error); copy the file again")
    }
  }

  package var root: JSONNode {
    let end = bytes.lastIndex { !Self.isSpace($0) } ?? 0
    return JSONNode(text: self, span: skipSpace(start)..<end + 1)
  }

  func problem(_ text: String, at index: Int) -> SpeculateError {
    SpeculateError("not valid JSON at byte \(index): \(text)")
  }

  // MARK: Grammar

  private func has(_ byte: UInt8, at index: Int) -> Bool {
    index < bytes.count && bytes[index] == byte
  }

  private func skip(_ byte: UInt8, at index: Int) throws -> Int {
    guard has(byte, at: index) else {
      let found = index < bytes.count ? "there is something else" : "the document ends"
      throw problem(
        "\"\(Character(Unicode.Scalar(byte)))\" should stand here, but \(found)", at: index)
    }
    return index + 1
  }

  func skipSpace(_ start: Int) -> Int {
    var index = start
    while index < bytes.count, Self.isSpace(bytes[index]) { index += 1 }
    return index
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  /// The end of the value that begins at `start`.
  func skip(from start: Int, depth: Int = 0) throws -> Int {
    guard depth <= Self.depthLimit else {
      throw problem("nested deeper than \(Self.depthLimit) levels", at: start)
    }
    guard start < bytes.count else {
      throw problem("the document ends where a value should stand", at: start)
    }
    switch bytes[start] {
    case UInt8(ascii: "\""): return try skipString(from: start)
    case UInt8(ascii: "{"):
      return try skipList(from: start, until: UInt8(ascii: "}")) { index in
        try skip(from: skipColon(skipString(from: index)), depth: depth + 1)
      }
    case UInt8(ascii: "["):
      return try skipList(from: start, until: UInt8(ascii: "]")) { index in
        try skip(from: index, depth: depth + 1)
      }
    case UInt8(ascii: "t"): return try skipWord("true", from: start)
    case UInt8(ascii: "f"): return try skipWord("false", from: start)
    case UInt8(ascii: "n"): return try skipWord("null", from: start)
    case UInt8(ascii: "-"), 0x30...0x39: return try skipNumber(from: start)
    default: throw problem("a value should stand here", at: start)
    }
  }

  private func skipList(
    from start: Int, until close: UInt8, _ skipItem: (Int) throws -> Int
  ) throws -> Int {
    var index = skipSpace(start + 1)
    if has(close, at: index) { return index + 1 }
    while true {
      index = try skipSpace(skipItem(index))
      guard has(UInt8(ascii: ","), at: index) else { return try skip(close, at: index) }
      index = skipSpace(index + 1)
    }
  }

  /// Where the value of a member begins whose name ends at `end`.
  func skipColon(_ end: Int) throws -> Int {
    try skipSpace(skip(UInt8(ascii: ":"), at: skipSpace(end)))
  }

  func skipString(from start: Int) throws -> Int {
    let first = try skip(UInt8(ascii: "\""), at: start)
    var index = first
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        guard isUTF8 || String(validating: bytes[first..<index], as: UTF8.self) != nil else {
          throw problem("the string is not valid UTF-8", at: first)
        }
        return index + 1
      case UInt8(ascii: "\\"):
        guard let (_, end) = escape(at: index) else {
          throw problem("this escape stands for no character", at: index)
        }
        index = end
      case 0..<0x20: throw problem("a control character inside a string", at: index)
      default: index += 1
      }
    }
    throw problem("a string without end", at: first)
  }

  private func skipWord(_ word: StaticString, from start: Int) throws -> Int {
    let end = start + word.utf8CodeUnitCount
    guard end <= bytes.count, (start..<end).allSatisfy({ bytes[$0] == word.utf8Start[$0 - start] })
    else { throw problem("a value should stand here", at: start) }
    return end
  }

  private func skipNumber(from start: Int) throws -> Int {
    var index = has(UInt8(ascii: "-"), at: start) ? start + 1 : start
    index = has(UInt8(ascii: "0"), at: index) ? index + 1 : try skipDigits(from: index)
    if has(UInt8(ascii: "."), at: index) { index = try skipDigits(from: index + 1) }
    if has(UInt8(ascii: "e"), at: index) || has(UInt8(ascii: "E"), at: index) {
      index += 1
      if has(UInt8(ascii: "+"), at: index) || has(UInt8(ascii: "-"), at: index) { index += 1 }
      index = try skipDigits(from: index)
    }
    return index
  }

  private func skipDigits(from start: Int) throws -> Int {
    var index = start
    while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
    if index == start { throw problem("a digit should stand here", at: index) }
    return index
  }

  /// The character that an escape at `start`, where a backslash is, stands for, and where it ends;
  /// nil when it is malformed or half of a surrogate pair.
  func escape(at start: Int) -> (scalar: Unicode.Scalar, end: Int)? {
    guard start + 1 < bytes.count else { return nil }
    switch bytes[start + 1] {
    case UInt8(ascii: "\""): return ("\"", start + 2)
    case UInt8(ascii: "\\"): return ("\\", start + 2)
    case UInt8(ascii: "/"): return ("/", start + 2)
    case UInt8(ascii: "b"): return ("\u{8}", start + 2)
    case UInt8(ascii: "f"): return ("\u{C}", start + 2)
    case UInt8(ascii: "n"): return ("\n", start + 2)
    case UInt8(ascii: "r"): return ("\r", start + 2)
    case UInt8(ascii: "t"): return ("\t", start + 2)
    default:
      guard let unit = codeUnit(at: start) else { return nil }
      if let scalar = Unicode.Scalar(unit) { return (scalar, start + 6) }
      guard unit < 0xDC00, let low = codeUnit(at: start + 6), (0xDC00...0xDFFF).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
      else { return nil }
      return (scalar, start + 12)
    }
  }

  /// The code unit of `\uXXXX` at `start`.
  private func codeUnit(at start: Int) -> UInt32? {
    guard start + 6 <= bytes.count, bytes[start..<start + 2].elementsEqual("\\u".utf8) else {
      return nil
    }
    let digits = bytes[start + 2..<start + 6]
    // A sign is no digit.
    guard digits.allSatisfy({ $0 >= 0x30 }) else { return nil }
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
