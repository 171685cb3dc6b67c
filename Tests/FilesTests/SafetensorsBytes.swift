import Foundation

/// Safetensors files put together by hand, right or wrong.
enum SafetensorsBytes {
  /// Length, header and `dataBytes` zero bytes.
  static func make(_ header: String, dataBytes: Int = 0, length: UInt64? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    return withUnsafeBytes(of: (length ?? UInt64(text.count)).littleEndian) { Array($0) } + text
      + [UInt8](repeating: 0, count: dataBytes)
  }

  /// One tensor of a header.
  static func tensor(
    _ name: String, _ type: String = "F32", _ shape: String = "[1]", _ offsets: String
  ) -> String {
    "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }
}
