extension PreTokenizer {
  /// GPT-2's pattern, as `ByteLevel` with `use_regex` implies it.
  package static let gpt2Pattern =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  /// Calls `word` with the end of each match of GPT-2's pattern; the matches cover the range.
  static func scanGPT2(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ word: (_ end: Int) -> Void
  ) {
    let scanner = WordScanner(text: text, end: range.upperBound)
    var start = range.lowerBound
    while let (kind, length) = scanner.next(start) {
      let stop: Int
      if text[start] == UInt8(ascii: "'"),
        let end = scanner.contraction(at: start, ignoringCase: false)
      {
        stop = end
      } else if kind != .space {
        stop = scanner.run(of: kind, from: start)
      } else if text[start] == UInt8(ascii: " "), let (next, _) = scanner.next(start + length),
        next != .space
      {
        stop = scanner.run(of: next, from: start + length)
      } else {
        stop = scanner.spaces(from: start)
      }
      word(stop)
      start = stop
    }
  }
}
