public import Files
public import Tensors
public import Verifier

/// Jacobi decoding: the target guesses blocks of tokens and corrects its own guesses, all places at
/// once, until they agree (ALGORITHMS.md section 7).
///
/// Each pass runs over the anchor and the guessed tokens. The guesses that agree with the target's
/// choices are committed, with one token more, so that every pass brings at least one. The target's
/// choices on the rows behind become the next guess. What is thrown away is tried again where it
/// may fit, as branches of the same pass.
///
/// The output is that of ``PlainDecoder`` for any options: only choices on rows whose whole past is
/// committed are committed.
public final class JacobiDecoder: Decoder {
  /// What happened so far.
  public private(set) var statistics = GenerationStatistics()
  /// Why generation ended.
  public var finishReason: FinishReason? { sequence.finishReason }
  /// What was learned about speed so far, to start the next generation with.
  public private(set) var policy: JacobiPolicy

  /// Who is told every round.
  public var observer: (any RoundObserver)? {
    get { tracer?.observer }
    set {
      tracer = newValue.map { RoundTracer($0, vocabulary: target.configuration.vocabularySize) }
    }
  }

  private var tracer: RoundTracer?
  private var sequence: SequenceState
  private let target: TargetRun
  private let options: JacobiOptions
  private var blocks: JacobiBlocks
  private var free: FreeDrafts
  private var tree = DraftTree()
  private var isPrefilled = false
  private let isCancelled: () -> Bool

  /// The share of a pass that branches may take from the guess.
  private static let branchShare = 4

  /// Prepares a generation; no pass runs before the first token is asked for.
  ///
  /// - Parameters:
  ///   - runner: the target, used by this decoder alone while it works.
  ///   - cache: an empty cache with room for prompt and output.
  ///   - prompt: at least one token.
  ///   - parameters: checked here.
  ///   - options: checked here.
  ///   - policy: what passes cost, and what earlier generations learned.
  ///   - isCancelled: asked before every round.
  /// - Throws: ``SpeculateError`` for parameters, options or a prompt that cannot be decoded.
  public init(
    runner: CausalRunner, cache: KeyValueCache, prompt: [Token],
    parameters: GenerationParameters, options: JacobiOptions, policy: JacobiPolicy,
    isCancelled: @escaping () -> Bool = { Task.isCancelled }
  ) throws {
    self.options = try options.validated()
    target = TargetRun(runner: runner, cache: cache)
    sequence = try SequenceState(
      prompt: prompt, parameters: parameters, configuration: target.configuration,
      capacity: cache.capacity)
    self.policy = policy
    blocks = JacobiBlocks(
      size: options.block ?? policy.block, most: options.blocks, spawn: options.spawn)
    var drafts = FreeDraftOptions(suffix: options.suffix, recycling: options.pool > 0)
    drafts.poolRuns = options.pool
    free = FreeDrafts(drafts)
    free.commit(prompt)
    self.isCancelled = isCancelled
    statistics.generations = 1
    statistics.promptTokens = prompt.count
  }

  /// The next token; `nil` at the end.
  public func next() -> Token? {
    while true {
      if let token = sequence.take() { return token }
      guard sequence.finishReason == nil else { return nil }
      if isCancelled() { finish(.cancelled) } else if isPrefilled { round() } else { prefill() }
    }
  }

  /// Ends generation.
  public func finish(_ reason: FinishReason) { sequence.finish(reason) }

  private func prefill() {
    var watch = Stopwatch()
    target.prefill(sequence.tokens) { _ in !isCancelled() }
    isPrefilled = true
    statistics.prefillSeconds += watch.lap()
  }

  /// Guess, verify, accept, keep, guess again.
  private func round() {
    var watch = Stopwatch()
    let pass = plan()
    let draftSeconds = watch.lap()

    target.verify(pass.rows)
    let verifySeconds = watch.lap()

    let start = sequence.tokens.count
    let (path, accepted) = AcceptanceRule.path(
      in: pass.rows, choice: { sequence.choose(target.logits($0)) },
      emit: { sequence.commit($0) })
    if finishReason == nil { guessAgain(pass, path: path, start: start) }
    let samplingSeconds = watch.lap()

    target.keep(path, of: pass.rows)
    tree.judge(pass.rows, nodes: pass.nodes, path: path, next: sequence.anchor) {
      policy.chances.record($0.cell, accepted: $1)
      if $1 { statistics.countAccepted($0.origin) }
    }
    let otherSeconds = watch.lap()

    let drafted = pass.rows.count - 1
    statistics.countRound(
      drafted: drafted, verified: drafted, accepted: accepted, emitted: path.count,
      ended: finishReason != nil, depth: pass.rows.depth, passes: 0)
    statistics.draftSeconds += draftSeconds
    statistics.verifySeconds += verifySeconds
    statistics.samplingSeconds += samplingSeconds
    let seconds = draftSeconds + verifySeconds + samplingSeconds + otherSeconds
    statistics.decodeSeconds += seconds
    policy.width.record(rows: pass.rows.count, emitted: path.count, seconds: seconds)
    tracer?.observe(
      pass.rows,
      drafts: pass.nodes.dropFirst().map { TracedDraft(origin: tree.nodes[$0].origin) },
      path: path, accepted: accepted, drafted: drafted,
      origin: tree.count > 1 ? tree.nodes[1].origin : nil, tokens: sequence.tokens,
      seconds: .init(
        draft: draftSeconds, verify: verifySeconds, sampling: samplingSeconds, other: otherSeconds),
      logits: { UnsafePointer(target.logits($0)) })
  }

  /// The rows of a pass.
  private struct Pass {
    /// The anchor, the guess behind it, and branches.
    var rows: TokenTree
    /// The tree's node of each row.
    var nodes: [Int]
    /// The guess that has rows: nodes `1...guess.count`.
    var guess: [Token]
  }

  /// The rows of this round's pass: the guess, and beside it what else is likely.
  private func plan() -> Pass {
    let widest = Swift.min(options.rows ?? .max, target.runner.maximumRows) - 1
    let width = Swift.min(widest, (options.rows ?? policy.width.rows()) - 1)
    // The bonus token takes the last place that is left.
    let depth = Swift.min(widest, sequence.remaining - 1)
    tree.reset(root: sequence.anchor)
    guard depth > 0 else {
      return Pass(rows: TokenTree(root: sequence.anchor), nodes: [0], guess: [])
    }
    while width > 0 && blocks.wantsBlock { blocks.open(firstGuess()) }
    free.lookUp(sequence.tokens, limit: depth)
    let candidates = free.candidates
    var length = Swift.min(width, depth)
    if let better = better(of: candidates, length: length) {
      // What followed a long match is a better guess than the one under iteration.
      blocks.replace(with: better.tokens)
      insert(better)
      length = Swift.max(length, better.tokens.count)
    }
    let guess = Array(blocks.guess.prefix(length))
    insert(FreeDrafts.Candidate(kind: .guess, tokens: guess))
    for candidate in candidates { insert(candidate) }

    // The guess keeps most of the width; the rest, and what pays beyond it, goes by chance.
    let branches = Swift.max(0, tree.count - 1 - guess.count)
    let kept = Swift.min(
      guess.count, tree.count - 1, width - Swift.min(branches, width / Self.branchShare))
    tree.rank(kept: kept)
    let ranked = tree.ranking
    let count =
      options.rows != nil
      ? width
      : policy.width.cost.nodeCount(
        chances: tree.rankedChances, kept: Swift.min(width, ranked.count),
        limit: widest, drafted: 0
      ).count
    let selected = ranked.prefix(count)
    var rows = TokenTree(root: sequence.anchor)
    var nodes: [Int] = []
    tree.layOut(selected.count, into: &rows, nodes: &nodes)
    let guessed = selected.count { $0 <= guess.count }
    return Pass(rows: rows, nodes: nodes, guess: Array(guess.prefix(guessed)))
  }

  private func insert(_ candidate: FreeDrafts.Candidate) {
    tree.insert(candidate.tokens, origin: candidate.kind.origin, chances: policy.chances) {
      .free(candidate.kind, isBranch: $0, place: $1)
    }
  }

  /// The match of earlier text that is expected to bring more tokens than the guess, if one is.
  private func better(
    of candidates: ArraySlice<FreeDrafts.Candidate>, length: Int
  ) -> FreeDrafts.Candidate? {
    let guessed = policy.chances.expectedTokens(
      .guess, count: Swift.min(length, blocks.guess.count))
    return candidates.first {
      $0.kind.origin == .suffix
        && policy.chances.expectedTokens($0.kind, count: $0.tokens.count) > guessed
    }
  }

  /// The first guess of a block behind those there are: what followed when their end stood in the
  /// text before, or else the end of the text once more.
  private func firstGuess() -> [Token] {
    let size = blocks.size
    let found = free.continuation(ahead: blocks.guess, count: size)
    if !found.isEmpty { return found }
    let text = sequence.tokens
    return (0..<size).map { text[text.count - 1 - (size - 1 - $0) % text.count] }
  }

  /// Makes the target's choices on the rows behind the committed ones the next guess.
  ///
  /// - Parameter start: the position of the first guessed token.
  private func guessAgain(_ pass: Pass, path: [Int], start: Int) {
    let emitted = path.count
    var predictions = [Token?](repeating: nil, count: blocks.guess.count + 1)
    func predict(_ place: Int, row: Int) {
      guard predictions.indices.contains(place) else { return }
      predictions[place] = sequence.guess(target.logits(row), position: start + place)
    }
    // The row of a place predicts the place behind it.
    for (row, node) in pass.nodes.enumerated()
    where node >= emitted && node <= pass.guess.count {
      predict(node, row: row)
    }
    if pass.nodes[path[emitted - 1]] > pass.guess.count {
      // The path left the guess: what its branch goes on with is closer to the text.
      var row = path[emitted - 1]
      while let child = pass.rows.parents.lastIndex(of: row) {
        predict(pass.rows.depths[child], row: child)
        row = child
      }
    }
    let rejected = pass.guess.dropFirst(emitted - 1)
    blocks.advance(emitted: emitted) { predictions[$0] }
    free.commit(sequence.tokens.suffix(emitted))
    guard let first = rejected.first, first != sequence.anchor else { return }
    let next = predictions.dropFirst(emitted).prefix { $0 != nil }.compactMap { $0 }
    free.recycle(rejected: Array(rejected), predictions: next, anchor: sequence.anchor)
  }
}
