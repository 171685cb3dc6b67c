public import Files
public import Tensors
public import Verifier

/// Another causal model with the target's vocabulary as a source of drafts.
///
/// It continues the text greedily, token by token, or in a bounded number of passes by Jacobi
/// iteration, for models that were forced for it. It reads the committed tokens into a cache of its
/// own and asks nothing of the target's states.
public final class CausalDraftSource: DraftSource {
  /// The most drafts of a round.
  public static let longestDraft = 16

  /// No layer of the target.
  public var taps: [Int] { [] }
  /// The most drafts of one block.
  public var maximumDrafts: Int { min(Self.longestDraft, cache.capacity) }

  private let runner: CausalRunner
  private let cache: KeyValueCache
  private let passes: Int?
  private var read: [Token] = []  // the tokens in the cache
  private var committed = 0  // the first of them that are known to be committed
  private var guess: [Token] = []
  private var guessStart = 0  // the position of the guess's first token

  private static let maximumRows = 64

  /// Makes the run state of a drafter.
  ///
  /// - Parameters:
  ///   - drafter: a model with the target's vocabulary.
  ///   - workers: the threads, shared with the target's runner.
  ///   - capacity: the most committed positions; behind the drafter's own context it drafts nothing.
  ///   - passes: passes of a round, in which all drafts are iterated on; `nil` for one pass a draft.
  /// - Throws: ``SpeculateError`` when there is no room for a cache.
  public init(
    drafter: CausalModel, workers: Workers, capacity: Int, passes: Int? = nil
  ) throws {
    runner = CausalRunner(model: drafter, workers: workers, maximumRows: Self.maximumRows)
    cache = try runner.makeCache(
      capacity: min(capacity + Self.longestDraft, drafter.configuration.maximumContext))
    self.passes = passes
    read.reserveCapacity(cache.capacity)
  }

  /// Nothing: committed tokens come with the next draft.
  public func commit(features: UnsafePointer<Float>, rows: Int) {}

  /// Forgets committed positions from `count` on.
  public func rewind(to count: Int) {
    committed = min(committed, count)
    keep(min(read.count, count))
    if count < guessStart { guess.removeAll(keepingCapacity: true) }
  }

  /// A few passes over what was committed, the anchor, and drafts.
  public func draft(
    after tokens: [Token], count: Int, chooser: inout DraftChooser, into block: inout DraftBlock
  ) {
    // The last draft is never read.
    let count = min(count, cache.capacity - tokens.count + 1)
    guard count > 0 else { return }
    catchUp(with: tokens)
    if let passes, passes < count {
      iterate(tokens, count: count, passes: passes, &chooser, &block)
    } else {
      while block.tokens.count < count {
        let last = block.tokens.last ?? tokens[tokens.count - 1]
        forward(CollectionOfOne(last), logits: .last)
        choose(row: 0, tokens, &chooser, &block)
      }
    }
    guess.removeAll(keepingCapacity: true)
    guess.append(contentsOf: block.tokens)
    guessStart = tokens.count
  }

  /// Jacobi iteration on all drafts at once; it ends when they agree with themselves.
  private func iterate(
    _ tokens: [Token], count: Int, passes: Int, _ chooser: inout DraftChooser,
    _ block: inout DraftBlock
  ) {
    var rows = firstGuess(tokens, count: count)
    let vocabulary = runner.model.configuration.vocabularySize
    for pass in 1...passes {
      keep(tokens.count - 1)
      forward([tokens[tokens.count - 1]] + rows.dropLast(), logits: .all)
      let next = (0..<count).map {
        Token(Kernels.argmax(runner.logits + $0 * vocabulary, count: vocabulary))
      }
      guard pass == passes || next == rows else {
        rows = next
        continue
      }
      for row in 0..<count { choose(row: row, tokens, &chooser, &block) }
      return
    }
  }

  /// What is left of the last round's drafts, and the end of the text once more.
  private func firstGuess(_ tokens: [Token], count: Int) -> [Token] {
    let used = tokens.count - guessStart
    let left = used < 0 ? [] : guess.dropFirst(used).prefix(count)
    return left
      + (left.count..<count).map { tokens[tokens.count - 1 - (count - 1 - $0) % tokens.count] }
  }

  private func choose(
    row: Int, _ tokens: [Token], _ chooser: inout DraftChooser, _ block: inout DraftBlock
  ) {
    let vocabulary = runner.model.configuration.vocabularySize
    let draft = chooser.choose(
      runner.logits + row * vocabulary, count: vocabulary,
      position: tokens.count + block.tokens.count)
    block.tokens.append(draft.token)
    block.confidences.append(draft.confidence)
  }

  /// Brings the cache to all tokens but the anchor.
  private func catchUp(with tokens: [Token]) {
    let end = tokens.count - 1
    var known = min(committed, end)
    while known < min(read.count, end), read[known] == tokens[known] { known += 1 }
    keep(known)
    for start in stride(from: known, to: end, by: Self.maximumRows) {
      forward(tokens[start..<min(start + Self.maximumRows, end)], logits: .none)
    }
    committed = end
  }

  private func keep(_ count: Int) {
    guard count < read.count else { return }
    read.removeLast(read.count - count)
    cache.rewind(to: count)
  }

  private func forward(_ tokens: some Sequence<Token>, logits: CausalRunner.LogitRows) {
    let start = read.count
    read += tokens
    read[start...].withUnsafeBufferPointer { runner.forward($0, cache: cache, logits: logits) }
  }
}
