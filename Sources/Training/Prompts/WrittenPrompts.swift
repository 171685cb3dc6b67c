import Files
import Foundation
import Text

/// The prompts that a target wrote itself and that are kept, in order: more of them as more are needed.
///
/// Kept prompt `n` is a function of the settings and `n`, and so is how many were written for the first
/// `n` of them.
final class WrittenPrompts {
  let writing: PromptWriting
  let excluded: ExcludedPrompts?
  private let encoder: ChatEncoder
  private let longest: Int
  private var cleaner: PromptCleaner?
  /// How many written prompts were looked at.
  private var considered = 0
  /// The tokens of the chats that they begin, and the numbers of the written prompts.
  private(set) var kept: [(chat: [Token], number: Int)] = []
  private(set) var counts = PromptCounts()

  /// - Parameter longest: Tokens of a chat at most.
  init(
    _ writing: PromptWriting, encoder: ChatEncoder, longest: Int, excluded: ExcludedPrompts?
  ) {
    self.writing = writing
    self.encoder = encoder
    self.longest = longest
    self.excluded = excluded
  }

  /// Lets `write` write until enough are kept.
  ///
  /// - Parameter write: Writes what a store lacks below a number; returns whether all are there.
  /// - Returns: Whether enough are kept; not, when `write` was stopped.
  /// - Throws: `SpeculateError` when hardly any are kept.
  func reach(
    _ needed: Int, store: WrittenPromptStore, write: (_ count: Int) throws -> Bool
  ) throws -> Bool {
    while kept.count < needed {
      let count = try next(needed)
      guard try write(count) else { return false }
      try take(store.elements(below: count))
    }
    return true
  }

  /// How many prompts are to be written before the next look at what is kept.
  private func next(_ needed: Int) throws -> Int {
    guard considered > 0 else { return max(needed, PromptCleaner.sample) }
    guard kept.count * 50 >= considered else {
      let reasons = PromptFlaw.allCases.filter { counts[$0] > 0 }.map {
        "\(counts[$0]) \($0.description)"
      }
      throw SpeculateError(
        "of \(considered) prompts that the target wrote \(kept.count) can be kept "
          + "(\(reasons.joined(separator: ", "))): give another ‘prompt temperature’, or ‘data’ instead"
      )
    }
    // A few more than the share that is kept makes likely.
    let missing = Double(needed - kept.count) * Double(considered) / Double(kept.count)
    return considered + max(PromptCleaner.sample, Int(1.05 * missing) + 1)
  }

  private func take(_ written: [WrittenPrompt]) throws {
    var cleaner =
      cleaner
      ?? PromptCleaner(
        writing, encoder: encoder, longest: longest, excluded: excluded,
        sample: written.prefix(PromptCleaner.sample))
    for number in considered..<written.count {
      switch try cleaner.clean(written[number]) {
      case .success(let chat):
        counts.add(nil)
        kept.append((chat, number))
      case .failure(let flaw): counts.add(flaw)
      }
    }
    considered = written.count
    self.cleaner = cleaner
  }
}
