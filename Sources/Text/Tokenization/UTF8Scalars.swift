/// Reads Unicode scalars out of UTF-8 that is known to be well-formed.
enum UTF8Scalars {
  /// The number of bytes of the character with this first byte.
  @inline(__always)
  static func length(_ lead: UInt8) -> Int {
    lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
  }

  /// The character at an index and the number of its bytes.
  @inline(__always)
  static func scalar(
    in text: UnsafeBufferPointer<UInt8>, at index: Int
  ) -> (value: UInt32, length: Int) {
    let lead = UInt32(text[index])
    if lead < 0x80 { return (lead, 1) }
    func bits(_ offset: Int) -> UInt32 { UInt32(text[index + offset] & 0x3F) }
    if lead < 0xE0 { return ((lead & 0x1F) << 6 | bits(1), 2) }
    if lead < 0xF0 { return ((lead & 0x0F) << 12 | bits(1) << 6 | bits(2), 3) }
    return ((lead & 0x07) << 18 | bits(1) << 12 | bits(2) << 6 | bits(3), 4)
  }

  /// Appends a character to a text.
  static func append(_ value: UInt32, to text: inout [UInt8]) {
    func first(_ lead: UInt8, _ shift: UInt32) { text.append(lead | UInt8(value >> shift)) }
    func next(_ shift: UInt32) { text.append(0x80 | UInt8(value >> shift & 0x3F)) }
    switch value {
    case ..<0x80: text.append(UInt8(value))
    case ..<0x800:
      first(0xC0, 6)
      next(0)
    case ..<0x10000:
      first(0xE0, 12)
      next(6)
      next(0)
    default:
      first(0xF0, 18)
      next(12)
      next(6)
      next(0)
    }
  }

  /// Where the character before an index begins.
  static func start(in text: UnsafeBufferPointer<UInt8>, before index: Int) -> Int {
    var start = index - 1
    while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
    return start
  }
}
