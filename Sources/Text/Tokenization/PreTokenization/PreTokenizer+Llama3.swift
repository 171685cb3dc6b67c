extension PreTokenizer {
  /// The pattern of Qwen2, Qwen2.5 and Qwen3, where every digit is a word.
  package static let qwen2Pattern =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"#
    + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  /// The pattern of Llama 3, where up to three digits are a word.
  package static let llama3Pattern =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"#
    + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  /// Calls `word` with the end of each match of Llama 3's pattern, or of Qwen2's if `digits` is 1;
  /// the matches cover the range.
  static func scanLlama3(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, digits: Int,
    _ word: (_ end: Int) -> Void
  ) {
    let scanner = WordScanner(text: text, end: range.upperBound)
    var start = range.lowerBound
    while let (kind, length) = scanner.next(start) {
      let stop: Int
      let next = scanner.next(start + length)?.kind
      if text[start] == UInt8(ascii: "'"),
        let end = scanner.contraction(at: start, ignoringCase: true)
      {
        stop = end
      } else if kind == .letter {
        stop = scanner.run(of: .letter, from: start)
      } else if kind == .number {
        stop = scanner.run(of: .number, from: start, limit: digits)
      } else if next == .letter, !isNewline(text[start]) {
        stop = scanner.run(of: .letter, from: start + length)
      } else if kind == .other {
        stop = newlines(scanner, from: scanner.run(of: .other, from: start))
      } else if next == .other, text[start] == UInt8(ascii: " ") {
        stop = newlines(scanner, from: scanner.run(of: .other, from: start + length))
      } else {
        stop = lastNewline(scanner, from: start) ?? scanner.spaces(from: start)
      }
      word(stop)
      start = stop
    }
  }

  private static func isNewline(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
  }

  /// The end of `[\r\n]*`.
  private static func newlines(_ scanner: WordScanner, from start: Int) -> Int {
    var index = start
    while index < scanner.end, isNewline(scanner.text[index]) { index += 1 }
    return index
  }

  /// The end of `\s*[\r\n]+`: behind the last line break of a run of spaces; `nil` without one.
  private static func lastNewline(_ scanner: WordScanner, from start: Int) -> Int? {
    let stop = scanner.run(of: .space, from: start)
    return scanner.text[start..<stop].lastIndex { isNewline($0) }.map { $0 + 1 }
  }
}
