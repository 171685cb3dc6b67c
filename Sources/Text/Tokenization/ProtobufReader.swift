import Files
import Foundation

/// Walks the fields of one serialized protocol-buffer message. Every length is checked.
struct ProtobufReader {
  enum Value: Equatable {
    case integer(UInt64)
    case bytes(Data)
    /// Four or eight bytes, little-endian.
    case fixed(Data)
  }

  private var rest: Data
  private let name: String

  init(_ message: Data, name: String) {
    rest = message
    self.name = name
  }

  /// The next field, `nil` at the end.
  ///
  /// - Throws: `SpeculateError` when the bytes are no message.
  mutating func next() throws -> (number: UInt64, value: Value)? {
    guard !rest.isEmpty else { return nil }
    let key = try integer()
    switch key & 7 {
    case 0: return (key >> 3, .integer(try integer()))
    case 1: return (key >> 3, try fixed(8))
    case 2:
      let count = try integer()
      guard count <= UInt64(rest.count) else { throw malformed() }
      return (key >> 3, .bytes(take(Int(count))))
    case 5: return (key >> 3, try fixed(4))
    default: throw malformed()
    }
  }

  private mutating func take(_ count: Int) -> Data {
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  private mutating func fixed(_ count: Int) throws -> Value {
    guard count <= rest.count else { throw malformed() }
    return .fixed(take(count))
  }

  private mutating func integer() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = rest.popFirst() else { throw malformed() }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw malformed()
  }

  private func malformed() -> SpeculateError {
    SpeculateError("\(name) is truncated or not a SentencePiece model; copy the file again")
  }
}
