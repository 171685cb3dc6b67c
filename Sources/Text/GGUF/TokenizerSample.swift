/// Texts on which tokenizers tend to differ.
enum TokenizerSample {
  static let texts = [
    "Hello, world! It's 2,024 o'clock - we'RE (not) here…",
    " leading and  double   spaces\tand\ttabs \n\n and\r\nlines \n",
    "func f(_ x: [Int]) -> Int { return x[0] + 1234567 * 0x1F }  // done\n\n\n",
    "Füße, naïve café, e\u{301}, Ｆｕｌｌ, Привет мир, 你好世界, こんにちは, العربية, 한국어",
    "👩‍👩‍👧 🇩🇪 ①②③ ½ ² \u{200B}\u{A0}x\u{3000}y <|im_end|> </s> <unk> ''' \"\"",
    "a", " ", "",
  ]
}
