/// Bytes of GGUF files, right or wrong in one place.
struct GGUFBytes {
  var magic = Array("GGUF".utf8)
  var version: UInt32 = 3
  var tensorCount: UInt64?
  var keyCount: UInt64?
  /// The metadata, encoded.
  var keys: [[UInt8]] = []
  /// What the header says of tensors, encoded.
  var tensors: [[UInt8]] = []
  /// Bytes behind the header, which is filled up to a multiple of 32.
  var data = 0

  var bytes: [UInt8] {
    var bytes = magic + Self.number(version)
    bytes += Self.number(tensorCount ?? UInt64(tensors.count))
    bytes += Self.number(keyCount ?? UInt64(keys.count))
    bytes += (keys + tensors).joined()
    bytes += [UInt8](repeating: 0, count: (32 - bytes.count % 32) % 32 + data)
    return bytes
  }

  static func number(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  static func text(_ text: String) -> [UInt8] {
    number(UInt64(text.utf8.count)) + Array(text.utf8)
  }

  /// A key of a type with its value, encoded.
  static func key(_ name: String, _ type: UInt32, _ value: [UInt8]) -> [UInt8] {
    text(name) + number(type) + value
  }

  /// A tensor, its shape fastest first.
  static func tensor(
    _ name: String, _ shape: [UInt64], _ type: UInt32 = 0, at offset: UInt64 = 0,
    dimensions: UInt32? = nil
  ) -> [UInt8] {
    text(name) + number(dimensions ?? UInt32(shape.count)) + shape.flatMap(number) + number(type)
      + number(offset)
  }
}
