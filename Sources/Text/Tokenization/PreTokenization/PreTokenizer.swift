/// Cuts a text into the words whose characters may be merged.
package struct PreTokenizer: Sendable {
  /// One thing done to every word that the former steps left.
  package enum Step: Sendable {
    /// Cuts as GPT-2's pattern does.
    case gpt2
    /// Cuts as Llama 3's pattern does, with words of at most so many digits; with 1 it is Qwen2's.
    case llama3(digits: Int)
    /// Cuts numbers from everything else, if `each`, every digit apart.
    case digits(each: Bool)
    /// Cuts wherever a pattern matches.
    case split(TextSplit)
    /// Replaces a string.
    case replace([UInt8], with: [UInt8])
    /// Puts a string in front of what does not begin with it.
    case prefix([UInt8], Prefix)
    /// Spells every byte as a character.
    case byteAlphabet

    /// Cuts in front of every "▁".
    package static let metaspace = wordStart(at: PreTokenizer.metaspace)

    /// Cuts in front of every occurrence of a string.
    static func wordStart(at text: [UInt8]) -> Step {
      .split(TextSplit(.string(text), .mergedWithNext))
    }
  }

  /// When a text gets something in front of it.
  package enum Prefix: Equatable, Sendable {
    case never
    /// Only what stands at the very beginning of the text that is encoded.
    case first
    /// Every stretch between special tokens.
    case always
  }

  package var steps: [Step] = []

  /// Makes a pre-tokenizer of these steps.
  package init(steps: [Step] = []) { self.steps = steps }

  /// "▁", which stands for a space in SentencePiece's vocabularies.
  static let metaspace = Array("\u{2581}".utf8)

  /// A text that is being cut.
  struct Cut {
    /// What the text became; nil while it is as it was.
    var changed: [UInt8]?
    /// The words, as ranges of the changed text if there is one.
    var words: [Range<Int>]
    /// Whether the first word stands at the very beginning of the text that is encoded.
    var isFirst: Bool
  }

  /// Cuts a text.
  ///
  /// - Parameters:
  ///   - text: UTF-8 that is known to be well-formed.
  ///   - isFirst: Whether the text is the beginning of what is encoded.
  /// - Throws: `SpeculateError` when a pattern can't cut the text.
  func cut(_ text: UnsafeBufferPointer<UInt8>, isFirst: Bool = true) throws -> Cut {
    var cut = Cut(words: text.isEmpty ? [] : [0..<text.count], isFirst: isFirst)
    for step in steps {
      if let changed = cut.changed {
        try changed.withUnsafeBufferPointer { try step.apply(to: $0, &cut) }
      } else {
        try step.apply(to: text, &cut)
      }
    }
    return cut
  }

  /// The words of a text, as ranges of what the steps make of it.
  package func words(of text: UnsafeBufferPointer<UInt8>) throws -> [Range<Int>] {
    try cut(text).words
  }
}

extension PreTokenizer.Step {
  /// The step with this pattern that is done by hand; `nil` if there is none.
  package init?(pattern: String) {
    switch pattern {
    case PreTokenizer.gpt2Pattern: self = .gpt2
    case PreTokenizer.qwen2Pattern: self = .llama3(digits: 1)
    case PreTokenizer.llama3Pattern: self = .llama3(digits: 3)
    default: return nil
    }
  }

  /// Does the step to a text that is being cut.
  fileprivate func apply(
    to text: UnsafeBufferPointer<UInt8>, _ cut: inout PreTokenizer.Cut
  ) throws {
    switch self {
    case .gpt2: refine(&cut) { PreTokenizer.scanGPT2(text, $0, $1) }
    case .llama3(let digits):
      refine(&cut) { PreTokenizer.scanLlama3(text, $0, digits: digits, $1) }
    case .digits(let each): refine(&cut) { Self.scanDigits(text, $0, each: each, $1) }
    case .split(let split):
      let start = cut.words.first?.lowerBound
      cut.words = try split.words(of: text, cut.words)
      if cut.words.first?.lowerBound != start { cut.isFirst = false }
    case .replace(let old, let new):
      guard text.contains(old.first ?? 0) else { return }
      rewrite(&cut) { word, _, result in
        TextNormalizer.replacing(old, with: new, in: .init(rebasing: text[word]), into: &result)
      }
    case .prefix(let prefix, let when):
      guard when == .always || (when == .first && cut.isFirst) else { return }
      rewrite(&cut) { word, number, result in
        if when == .always || number == 0, !text[word].starts(with: prefix) { result += prefix }
        result += text[word]
      }
    case .byteAlphabet:
      rewrite(&cut) { word, _, result in
        for byte in text[word] {
          UTF8Scalars.append(ByteAlphabet.scalars[Int(byte)].value, to: &result)
        }
      }
    }
  }

  /// Replaces every word by the finer ones whose ends `scan` tells; these cover the word.
  private func refine(
    _ cut: inout PreTokenizer.Cut, _ scan: (_ word: Range<Int>, _ end: (Int) -> Void) -> Void
  ) {
    var finer: [Range<Int>] = []
    finer.reserveCapacity(cut.words.count)
    for word in cut.words {
      var start = word.lowerBound
      scan(word) { end in
        finer.append(start..<end)
        start = end
      }
    }
    cut.words = finer
  }

  /// Replaces every word by what `append` appends for it.
  private func rewrite(
    _ cut: inout PreTokenizer.Cut,
    _ append: (_ word: Range<Int>, _ number: Int, _ result: inout [UInt8]) -> Void
  ) {
    var result: [UInt8] = []
    for number in cut.words.indices {
      let start = result.count
      append(cut.words[number], number, &result)
      cut.words[number] = start..<result.count
    }
    cut.words.removeAll(where: \.isEmpty)
    cut.changed = result
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
}
