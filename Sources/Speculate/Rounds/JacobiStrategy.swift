import Files
package import Verifier

/// Jacobi decoding: the target guesses blocks of tokens and corrects its own guesses, all places at
/// once, until they agree (docs/algorithms.md 7).
///
/// Each pass runs over the anchor and the guessed tokens. The guesses that agree with the target's
/// choices are committed, with one token more, so that every pass brings at least one. The target's
/// choices on the rows behind become the next guess. What is thrown away is tried again where it
/// may fit, as branches of the same pass.
package final class JacobiStrategy: RoundStrategy {
  /// What was learned about speed so far, to start the next generation with.
  package private(set) var policy: JacobiPolicy

  private let options: JacobiOptions
  private var blocks: JacobiBlocks
  private var free: FreeDrafts
  private var tree = DraftTree()
  private var room = SequenceRoom(capacity: 0, maximumRows: 1)
  /// The round's guess: nodes `1...guess.count` of the tree.
  private var guess: [Token] = []
  /// The round's rows, and the tree's node of each.
  private var rows = TokenTree(root: 0)
  private var nodes: [Int] = []

  /// The share of a pass that branches may take from the guess.
  private static let branchShare = 4

  /// Makes a strategy.
  ///
  /// - Parameters:
  ///   - options: checked here.
  ///   - policy: what passes cost, and what earlier generations learned.
  /// - Throws: ``SpeculateError`` for options out of range.
  package init(options: JacobiOptions, policy: JacobiPolicy) throws {
    self.options = try options.validated()
    self.policy = policy
    blocks = JacobiBlocks(
      size: options.block ?? policy.block, most: options.blocks, spawn: options.spawn)
    var drafts = FreeDraftOptions(suffix: options.suffix, recycling: options.pool > 0)
    drafts.poolRuns = options.pool
    free = FreeDrafts(drafts)
  }

  package func begin(_ sequence: SequenceState, room: SequenceRoom) {
    self.room = room
    free.commit(sequence.tokens)
  }

  /// Ranks the guess, and beside it what else is likely.
  package func propose(_ sequence: SequenceState) -> RowProposal {
    let widest = min(options.rows ?? .max, room.maximumRows) - 1
    let width = min(widest, (options.rows ?? policy.width.rows()) - 1)
    // The bonus token takes the last place that is left.
    let depth = min(widest, sequence.remaining - 1)
    tree.reset(root: sequence.anchor)
    guess = []
    guard depth > 0 else {
      tree.rank()
      return RowProposal()
    }
    while width > 0 && blocks.wantsBlock { blocks.open(firstGuess(behind: sequence.tokens)) }
    let place = sequence.constraint?.place
    free.lookUp(sequence.tokens, limit: depth, place: place)
    let candidates = free.candidates
    var length = min(width, depth)
    if let better = better(of: candidates, length: length) {
      // What followed a long match is a better guess than the one under iteration.
      blocks.replace(with: better.tokens)
      tree.insert(better, chances: policy.chances)
      length = max(length, better.tokens.count)
    }
    guess = Array(blocks.guess.prefix(length))
    if let place { guess.removeLast(guess.count - place.allowed(guess)) }
    tree.insert(FreeDrafts.Candidate(kind: .guess, tokens: guess), chances: policy.chances)
    for candidate in candidates { tree.insert(candidate, chances: policy.chances) }

    // The guess keeps most of the width; the rest, and what pays beyond it, goes by chance.
    let branches = max(0, tree.count - 1 - guess.count)
    let kept = min(guess.count, tree.count - 1, width - min(branches, width / Self.branchShare))
    tree.rank(kept: kept)
    let given = min(width, tree.ranking.count)
    return RowProposal(
      chances: tree.rankedChances, kept: given, limit: options.rows == nil ? widest : given,
      cost: options.rows == nil ? policy.width.cost : nil)
  }

  /// The rows of the guess and of branches.
  package func rows(_ count: Int) -> TokenTree {
    let guessed = tree.ranking.prefix(count).count { $0 <= guess.count }
    tree.layOut(count, into: &rows, nodes: &nodes)
    guess.removeLast(guess.count - guessed)
    return rows
  }

  /// Makes the target's choices the next guess, and learns what was accepted.
  package func settle(
    _ outcome: RoundOutcome, _ sequence: inout SequenceState, accept: (DraftOrigin) -> Void
  ) {
    if sequence.finishReason == nil { guessAgain(outcome, &sequence) }
    tree.judge(sequence.tokens.suffix(outcome.path.count)) { node, number, isRight in
      policy.chances.record(node.cell, accepted: isRight)
      if isRight, nodes.contains(number) { accept(node.origin) }
    }
  }

  /// Learns what the round cost, if no other sequence shared it.
  package func learn(_ price: RoundPrice) {
    guard price.sequences == 1 else { return }
    policy.width.record(
      rows: price.rows, emitted: price.emitted, seconds: price.draftSeconds + price.verifySeconds)
  }

  package var origin: DraftOrigin? { tree.count > 1 ? tree.nodes[1].origin : nil }

  package var traced: [TracedDraft] {
    nodes.dropFirst().map { TracedDraft(origin: tree.nodes[$0].origin) }
  }

  /// The match of earlier text that is expected to bring more tokens than the guess, if one is.
  private func better(
    of candidates: ArraySlice<FreeDrafts.Candidate>, length: Int
  ) -> FreeDrafts.Candidate? {
    let guessed = policy.chances.expectedTokens(.guess, count: min(length, blocks.guess.count))
    return candidates.first {
      $0.kind.origin == .suffix
        && policy.chances.expectedTokens($0.kind, count: $0.tokens.count) > guessed
    }
  }

  /// The first guess of a block behind those there are: what followed when their end stood in the
  /// text before, or else the end of the text once more.
  private func firstGuess(behind text: [Token]) -> [Token] {
    let size = blocks.size
    let found = free.continuation(ahead: blocks.guess, count: size)
    if !found.isEmpty { return found }
    return (0..<size).map { text[text.count - 1 - (size - 1 - $0) % text.count] }
  }

  /// Makes the target's choices on the rows behind the committed ones the next guess.
  private func guessAgain(_ outcome: RoundOutcome, _ sequence: inout SequenceState) {
    let path = outcome.path
    let emitted = path.count
    let start = sequence.tokens.count - emitted
    var predictions = [Token?](repeating: nil, count: blocks.guess.count + 1)
    func predict(_ place: Int, row: Int) {
      guard predictions.indices.contains(place) else { return }
      predictions[place] = sequence.guess(outcome.logits[row], position: start + place)
    }
    // The row of a place predicts the place behind it.
    for (row, node) in nodes.enumerated() where node >= emitted && node <= guess.count {
      predict(node, row: row)
    }
    if nodes[path[emitted - 1]] > guess.count {
      // The path left the guess: what its branch goes on with is closer to the text.
      var row = path[emitted - 1]
      while let child = outcome.tree.parents.lastIndex(of: row) {
        predict(outcome.tree.depths[child], row: child)
        row = child
      }
    }
    let rejected = guess.dropFirst(emitted - 1)
    blocks.advance(emitted: emitted) { predictions[$0] }
    free.commit(sequence.tokens.suffix(emitted))
    guard let first = rejected.first, first != sequence.anchor else { return }
    let next = predictions.dropFirst(emitted).prefix { $0 != nil }.compactMap { $0 }
    free.recycle(rejected: Array(rejected), predictions: next, anchor: sequence.anchor)
  }
}
