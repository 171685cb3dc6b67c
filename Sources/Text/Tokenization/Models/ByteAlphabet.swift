/// The spelling of byte-level vocabularies: every byte has a printable character.
///
/// Follows `bytes_to_unicode` of GPT-2 (openai/gpt-2, src/encoder.py): printable bytes of Latin-1
/// are themselves, the others are U+0100 and up, in order.
enum ByteAlphabet {
  /// [256] the character of each byte.
  static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0..<256).map { byte in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(UInt8(byte))
      default:
        defer { next += 1 }
        return Unicode.Scalar(next) ?? "\u{FFFD}"
      }
    }
  }()

  /// [0x144] the byte of each character below U+0144, -1 where it has none.
  private static let bytes: [Int16] = {
    var bytes = [Int16](repeating: -1, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar.value)] = Int16(byte) }
    return bytes
  }()

  /// The bytes a spelling (in UTF-8) stands for; `nil` when a character of it stands for none.
  static func bytes(ofSpelling spelling: some Sequence<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    var lead: UInt32 = 0
    for unit in spelling {
      var value = UInt32(unit)
      if lead != 0 {
        value = lead | UInt32(unit & 0x3F)
        lead = 0
      } else if unit >= 0xC0 {
        // Every character of the alphabet has at most two bytes, with a lead byte up to 0xC5.
        guard unit < 0xC6 else { return nil }
        lead = UInt32(unit & 0x1F) << 6
        continue
      }
      guard value < UInt32(bytes.count), bytes[Int(value)] >= 0 else { return nil }
      result.append(UInt8(bytes[Int(value)]))
    }
    return result
  }

  /// The spelling of bytes.
  static func spelling(of bytes: some Sequence<UInt8>) -> String {
    String(String.UnicodeScalarView(bytes.map { scalars[Int($0)] }))
  }
}
