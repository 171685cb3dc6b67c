package import Files
import Speculate
package import Text

/// Decides which of the prompts that a target wrote are kept.
///
/// It takes them by number, and whether one is kept depends on none with a higher number, except that the
/// first ones together say which writing systems are usual. So more prompts change nothing of those before.
package struct PromptCleaner {
  /// Changes with the rules.
  static let version = 1
  /// Prompts that say which writing systems are usual.
  static let sample = 64
  /// The share of their letters from which on a system is usual.
  static let usualShare = 0.05
  /// The share of a prompt's letters that may be of others.
  static let foreignShare = 0.2
  /// Tokens of the shortest prompt.
  static let shortest = 4

  private let writing: PromptWriting
  private let encoder: ChatEncoder
  private let longest: Int
  private let excluded: ExcludedPrompts?
  private var usual: Set<WritingSystem> = []
  private var earlier = NearDuplicates()

  /// - Parameters:
  ///   - longest: Tokens of a chat at most.
  ///   - sample: The first prompts, as many as there are of ``sample``.
  package init(
    _ writing: PromptWriting, encoder: ChatEncoder, longest: Int, excluded: ExcludedPrompts?,
    sample: some Sequence<WrittenPrompt>
  ) {
    self.writing = writing
    self.encoder = encoder
    self.longest = longest
    self.excluded = excluded
    var letters: [WritingSystem: Int] = [:]
    for prompt in sample {
      letters.merge(WritingSystem.counts(writing.text(prompt)), uniquingKeysWith: +)
    }
    let all = letters.values.reduce(0, +)
    usual = Set(letters.filter { Double($0.value) >= Self.usualShare * Double(all) }.keys)
  }

  /// The tokens of the chat that a prompt begins, or what is wrong with it.
  ///
  /// - Throws: `SpeculateError` when the template can't write it.
  package mutating func clean(_ prompt: WrittenPrompt) throws -> Result<[Token], PromptFlaw> {
    let text = writing.text(prompt)
    if let flaw = flaw(prompt, text) { return .failure(flaw) }
    let ids = try encoder.encode(Conversation(user: text), now: ChatEncoder.fixedTime).ids
    if ids.count > longest { return .failure(.long) }
    return earlier.insert(prompt.tokens) ? .success(ids) : .failure(.duplicate)
  }

  /// What is wrong with a prompt by itself.
  private func flaw(_ prompt: WrittenPrompt, _ text: String) -> PromptFlaw? {
    switch prompt.ending {
    case .length: return .unfinished
    case .loop: return .loop
    case .turn: break
    }
    if prompt.tokens.contains(where: writing.isSpecial) || text.unicodeScalars.contains("\u{FFFD}")
      || text.unicodeScalars.contains("\0")
    {
      return .damaged
    }
    let letters = WritingSystem.counts(text)
    let count = letters.values.reduce(0, +)
    if prompt.tokens.count < Self.shortest || count == 0 { return .short }
    if Self.repeats(prompt.tokens) { return .loop }
    let foreign = letters.reduce(0) { $0 + (usual.contains($1.key) ? 0 : $1.value) }
    if Double(foreign) > Self.foreignShare * Double(count) { return .alphabet }
    if let excluded, excluded.isNear(text) { return .excluded }
    return nil
  }

  /// Whether less than half of a longer text's runs of four tokens are new, or whether it ends in a loop.
  private static func repeats(_ tokens: [Token]) -> Bool {
    if LoopDetector().endsInLoop(tokens) { return true }
    let runs = tokens.count - 3
    guard runs >= 16 else { return false }
    let distinct = Set((0..<runs).map { Array(tokens[$0..<$0 + 4]) }).count
    return 2 * distinct < runs
  }
}
