/// Cuts a text into the words whose characters may be merged.
package struct PreTokenizer: Equatable, Sendable {
  /// One way to cut; several are applied one after another, each to what the former left.
  package enum Step: Equatable, Sendable {
    case gpt2
    /// Llama 3's pattern, with words of at most so many digits; with 1 it is Qwen2's.
    case llama3(digits: Int)
    /// Numbers apart from everything else, if `each`, every digit apart.
    case digits(each: Bool)
    /// A new word begins at every "▁".
    case metaspace
  }

  /// When a text gets something in front of it.
  package enum Prefix: Equatable, Sendable {
    case never
    /// Only what stands at the very beginning of the text that is encoded.
    case first
    /// Every stretch between special tokens.
    case always
  }

  /// Whether every " " becomes "▁".
  package var replacesSpaces = false
  /// When a stretch that does not begin with a space ("▁" if spaces are replaced) gets one.
  package var spacePrefix = Prefix.never
  package var steps: [Step] = []

  /// Makes a pre-tokenizer of these steps that puts nothing in front.
  package init(steps: [Step] = []) { self.steps = steps }

  /// What the text becomes before it is cut, `nil` when it stays as it is.
  func rewritten(_ text: UnsafeBufferPointer<UInt8>, isFirst: Bool) -> [UInt8]? {
    let space = replacesSpaces ? Self.metaspace : [UInt8(ascii: " ")]
    var result: [UInt8]?
    if replacesSpaces, text.contains(UInt8(ascii: " ")) { result = Self.replacingSpaces(text) }
    if spacePrefix == .always || (spacePrefix == .first && isFirst) {
      let current = result ?? Array(text)
      if !current.isEmpty, !current.starts(with: space) { result = space + current }
    }
    return result
  }

  /// "▁", which stands for a space in SentencePiece's vocabularies.
  static let metaspace = Array("\u{2581}".utf8)

  /// A text in which every "▁" is a space again.
  static func restoringSpaces(_ text: some Sequence<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    for byte in text {
      result.append(byte)
      if byte == metaspace[2], result.suffix(3).elementsEqual(metaspace) {
        result.removeLast(3)
        result.append(UInt8(ascii: " "))
      }
    }
    return result
  }

  private static func replacingSpaces(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(2 * text.count)
    for byte in text {
      if byte == UInt8(ascii: " ") { result += metaspace } else { result.append(byte) }
    }
    return result
  }

  /// The words of a text; together they are the whole text.
  package func words(of text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    guard !text.isEmpty else { return [] }
    var words = [0..<text.count]
    for step in steps {
      var finer: [Range<Int>] = []
      for range in words {
        var start = range.lowerBound
        step.scan(text, range) { end in
          finer.append(start..<end)
          start = end
        }
      }
      words = finer
    }
    return words
  }
}

extension PreTokenizer.Step {
  /// The step with this pattern, as a regular expression in a tokenizer.json; `nil` if unknown.
  package init?(pattern: String) {
    switch pattern {
    case PreTokenizer.gpt2Pattern: self = .gpt2
    case PreTokenizer.qwen2Pattern: self = .llama3(digits: 1)
    case PreTokenizer.llama3Pattern: self = .llama3(digits: 3)
    default: return nil
    }
  }

  /// Calls `word` with the end of each word of a range of a text; the words cover the range.
  func scan(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ word: (_ end: Int) -> Void) {
    switch self {
    case .gpt2: PreTokenizer.scanGPT2(text, range, word)
    case .llama3(let digits): PreTokenizer.scanLlama3(text, range, digits: digits, word)
    case .digits(let each): Self.scanDigits(text, range, each: each, word)
    case .metaspace: Self.scanMetaspace(text, range, word)
    }
  }

  private static func scanDigits(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, each: Bool, _ word: (Int) -> Void
  ) {
    let scanner = WordScanner(text: text, end: range.upperBound)
    var start = range.lowerBound
    while start < range.upperBound {
      var stop = scanner.run(of: .number, from: start, limit: each ? 1 : .max)
      if stop == start {
        while let (kind, length) = scanner.next(stop), kind != .number { stop += length }
      }
      word(stop)
      start = stop
    }
  }

  private static func scanMetaspace(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ word: (Int) -> Void
  ) {
    var index = range.lowerBound
    while index < range.upperBound {
      repeat {
        index += UTF8Scalars.length(text[index])
      } while index < range.upperBound
        && !text[index..<range.upperBound].starts(with: PreTokenizer.metaspace)
      word(index)
    }
  }
}
