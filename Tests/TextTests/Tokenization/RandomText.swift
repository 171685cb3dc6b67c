import Files

/// Random text of many scripts, with the characters tokenizers treat specially made frequent.
enum RandomText {
  static let frequent: [Unicode.Scalar] =
    Array(" \n\r\t'sStTmMdDlLvVeErR019.,:;!?_-+*/<>(){}[]#\"\\@".unicodeScalars)
    + Array(
      " '\u{2019}\u{17F}\u{212A}\u{A0}\u{85}\u{1680}\u{2003}\u{2028}\u{3000}\u{200B}\u{FEFF}"
        .unicodeScalars)
    + Array(
      "\u{0B}\u{0C}\u{1C}\u{180E}\u{301}\u{308}\u{20E3}\u{FE0F}\u{200D}\u{2581}\u{0}"
        .unicodeScalars)
    + Array("éßøπδЖщ日本語한글عربהבหไทยदक½²Ⅷ٣๓🙂🇩🇪👩🏽‍🚀ǅʰªº".unicodeScalars)

  /// Blocks of many scripts, of digits, marks, symbols and unassigned characters.
  static let blocks: [ClosedRange<UInt32>] = [
    0x20...0x7E, 0xA0...0x17F, 0x370...0x52F, 0x590...0x6FF, 0x900...0xDFF, 0xE00...0xFFF,
    0x10A0...0x11FF, 0x16A0...0x17FF, 0x2000...0x206F, 0x2070...0x218F, 0x2190...0x27BF,
    0x3000...0x30FF, 0x4E00...0x4FFF, 0xA000...0xA7FF, 0xAC00...0xADFF, 0xE000...0xE0FF,
    0xF900...0xFFFF, 0x10000...0x103FF, 0x104A0...0x104A9, 0x1D400...0x1D7FF, 0x1F000...0x1FAFF,
    0x20000...0x200FF, 0xE0000...0xE01EF,
  ]

  static func scalar(using random: inout SplitMix) -> Unicode.Scalar {
    if Bool.random(using: &random) { return frequent.randomElement(using: &random) ?? " " }
    let block = blocks.randomElement(using: &random) ?? 0x20...0x7E
    return Unicode.Scalar(UInt32.random(in: block, using: &random)) ?? "\u{FFFD}"
  }

  /// A text without "▁", the one character SentencePiece cannot tell from a space.
  static func withoutMetaspace(maximum: Int, using random: inout SplitMix) -> String {
    let text = text(maximum: maximum, using: &random)
    return String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\u{2581}" }))
  }

  /// A text of 0…`maximum` characters, in which a character is often repeated.
  static func text(maximum: Int, using random: inout SplitMix) -> String {
    var text = String.UnicodeScalarView()
    let count = Int.random(in: 0...maximum, using: &random)
    while text.count < count {
      let next = scalar(using: &random)
      let repeats = Int.random(in: 0..<4, using: &random) == 0
      for _ in 0..<(repeats ? Int.random(in: 2...4, using: &random) : 1) { text.append(next) }
    }
    return String(text)
  }
}
