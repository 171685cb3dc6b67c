/// Reads the parts of a GGUF header one after the other and never past an end.
///
/// No count is believed before the bytes that it needs are known to be there.
struct GGUFCursor {
  /// What is wrong, without the file's name.
  struct Problem: Error {
    let text: String
  }

  private let bytes: UnsafeRawBufferPointer
  private let end: Int
  /// Where the next part begins.
  private(set) var position: Int

  /// Arrays in arrays, at most: reading them takes a stack.
  static let deepest = 8

  init(_ bytes: UnsafeRawBufferPointer, at range: Range<Int>? = nil) {
    self.bytes = bytes
    position = range?.lowerBound ?? 0
    end = range?.upperBound ?? bytes.count
  }

  /// Bytes that are left.
  var left: Int { end - position }

  /// A number of any fixed width, little-endian.
  mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws -> Value {
    let size = MemoryLayout<Value>.size
    guard left >= size else { throw ended() }
    defer { position += size }
    return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Value.self))
  }

  /// A count of things that take at least so many bytes each.
  mutating func count(of things: String, atLeast size: Int) throws -> Int {
    let count: UInt64 = try integer()
    guard count <= UInt64(left / size) else {
      throw Problem(text: "\(count) \(things) don't fit into the \(left) bytes that follow")
    }
    return Int(count)
  }

  /// A string: its length and its bytes, which are UTF-8.
  mutating func string() throws -> String {
    let length: UInt64 = try integer()
    guard length <= UInt64(left) else {
      throw Problem(text: "a string of \(length) bytes is longer than the \(left) that follow")
    }
    let slice = bytes[position..<position + Int(length)]
    guard let text = String(validating: slice, as: UTF8.self) else {
      throw Problem(text: "a string is not UTF-8")
    }
    position += Int(length)
    return text
  }

  /// A value of a type; arrays stay in `contents`, which these bytes belong to.
  mutating func value(
    of type: GGUFValueType, in contents: any GGUFContents, depth: Int = 0
  ) throws -> GGUFValue {
    switch type {
    case .uint8: .uint8(try integer())
    case .int8: .int8(try integer())
    case .uint16: .uint16(try integer())
    case .int16: .int16(try integer())
    case .uint32: .uint32(try integer())
    case .int32: .int32(try integer())
    case .uint64: .uint64(try integer())
    case .int64: .int64(try integer())
    case .float32: .float32(Float(bitPattern: try integer()))
    case .float64: .float64(Double(bitPattern: try integer()))
    case .bool: .bool(try truth())
    case .string: .string(try string())
    case .array: .array(try array(in: contents, depth: depth))
    }
  }

  /// The type of a value.
  mutating func valueType() throws -> GGUFValueType {
    let number: UInt32 = try integer()
    guard let type = GGUFValueType(rawValue: number) else {
      throw Problem(text: "there is no type \(number) of values")
    }
    return type
  }

  private mutating func truth() throws -> Bool {
    let byte: UInt8 = try integer()
    guard byte <= 1 else { throw Problem(text: "\(byte) is neither true nor false") }
    return byte == 1
  }

  /// Walks over an array and checks every value.
  private mutating func array(in contents: any GGUFContents, depth: Int) throws -> GGUFArray {
    guard depth < Self.deepest else {
      throw Problem(text: "arrays are nested more than \(Self.deepest) deep")
    }
    let type = try valueType()
    let count = try count(of: "values of an array", atLeast: type.leastBytes)
    let start = position
    switch type {
    case .string: for _ in 0..<count { try skipString() }
    case .array: for _ in 0..<count { _ = try array(in: contents, depth: depth + 1) }
    case .bool: for _ in 0..<count { _ = try truth() }
    default: position += count * type.leastBytes
    }
    return GGUFArray(of: type, count: count, in: contents, at: start..<position)
  }

  /// Checks a string without making one.
  private mutating func skipString() throws {
    let length: UInt64 = try integer()
    guard length <= UInt64(left) else {
      throw Problem(text: "a string of \(length) bytes is longer than the \(left) that follow")
    }
    let slice = UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(length)])
    guard Self.isUTF8(slice) else { throw Problem(text: "a string is not UTF-8") }
    position += Int(length)
  }

  private static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if bytes.allSatisfy({ $0 < 0x80 }) { return true }
    return String(validating: bytes, as: UTF8.self) != nil
  }

  private func ended() -> Problem { Problem(text: "the file ends in the middle of it") }
}
