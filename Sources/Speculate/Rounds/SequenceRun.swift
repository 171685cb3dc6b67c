package import Files
package import Tensors
package import Text
package import Verifier

/// One sequence of a ``DecodingLoop``: its text, how its rounds go, its cache, and what happened so far.
package final class SequenceRun {
  /// The committed tokens, and how the next is chosen.
  package private(set) var sequence: SequenceState
  package private(set) var strategy: any RoundStrategy
  /// What happened so far. Complete once ``finishReason`` is set.
  package private(set) var statistics = GenerationStatistics()

  /// The target's cache: between rounds it holds all committed tokens but the anchor.
  private(set) var cache: KeyValueCache
  let isCancelled: () -> Bool
  private(set) var isPrefilled = false
  /// Whether it takes no part in rounds for now.
  package var isPaused = false
  /// Whether the sequence ends, for its length, once its prompt was read.
  package var endsBehindPrompt = false
  var tracer: RoundTracer?
  private let vocabulary: Int
  private let promptLength: Int
  private let room: SequenceRoom

  /// Tells how probable the target finds the tokens that it chooses; `nil` for nobody who asks.
  package var scorer: RowScorer?
  /// The same for the tokens of the prompt, which is then computed with logits.
  package var promptScorer: RowScorer?
  /// The scores of the prompt's tokens but the first, as far as they were read.
  package private(set) var promptScores: [TokenScores] = []
  /// The scores of the tokens that the last round committed.
  private var scores: [TokenScores] = []
  /// Weighs drafts against what they were drawn from; made when that is asked for.
  private var verifier: DraftVerifier?
  /// Raw rows of a round whose tokens are scored when all are known: [rows][vocabulary].
  private var rawRows: FloatBuffer?

  // The round's.
  var request: DraftRequest?
  /// The rows whose choices the last round emitted.
  private var path: [Int] = []
  /// Tokens that the last round committed.
  var emitted: Int { path.count }
  /// Where the last round's accepted drafts came from.
  private var origins: [DraftOrigin] = []
  private var last = LastRound()

  /// What was counted of the last round.
  private struct LastRound {
    var verified = 0
    var accepted = 0
    var emitted = 0
    var ended = false
    var depth = 0
  }

  /// Prepares a sequence; no pass runs before the loop's next round.
  ///
  /// - Parameters:
  ///   - runner: the loop's.
  ///   - cache: an empty cache with room for prompt and output.
  ///   - prompt: at least one token.
  ///   - parameters: checked here.
  ///   - strategy: of this sequence alone.
  ///   - grammar: of the parameters' constraint, over the target's tokens.
  ///   - isCancelled: asked before every round.
  /// - Throws: ``SpeculateError`` for parameters or a prompt that cannot be decoded.
  package init(
    runner: CausalRunner, cache: KeyValueCache, prompt: [Token],
    parameters: GenerationParameters, strategy: any RoundStrategy, grammar: TokenGrammar? = nil,
    isCancelled: @escaping () -> Bool
  ) throws {
    precondition(cache.count == 0, "the cache belongs to another sequence")
    let (most, overflow) = prompt.count.addingReportingOverflow(parameters.maximumTokens)
    try cache.reset(reaching: overflow ? .max : most)
    sequence = try SequenceState(
      prompt: prompt, parameters: parameters, configuration: runner.model.configuration,
      capacity: cache.capacity, grammar: grammar)
    self.strategy = strategy
    self.cache = cache
    self.isCancelled = isCancelled
    vocabulary = runner.model.configuration.vocabularySize
    promptLength = prompt.count
    room = SequenceRoom(capacity: cache.capacity, maximumRows: runner.maximumRows)
    strategy.begin(sequence, room: room)
    path.reserveCapacity(runner.maximumRows)
    origins.reserveCapacity(runner.maximumRows)
    statistics.reserveCapacity(drafts: runner.maximumRows)
    statistics.generations = 1
    statistics.promptTokens = prompt.count
  }

  /// Why the sequence ended; `nil` while it goes on.
  package var finishReason: FinishReason? { sequence.finishReason }

  /// Whether it has finished or failed.
  package var hasEnded: Bool { sequence.finishReason != nil || sequence.failure != nil }

  /// Ends the sequence by an error.
  func fail(_ error: SpeculateError) { sequence.fail(error) }

  package var observer: (any RoundObserver)? {
    get { tracer?.observer }
    set {
      tracer = newValue.map { RoundTracer($0, vocabulary: vocabulary) }
      strategy.keepCandidates(in: tracer?.candidates)
    }
  }

  /// The next committed token that was not handed out yet.
  package func take() -> Token? { sequence.take() }

  /// Whether every committed token was handed out.
  package var isTaken: Bool { sequence.isTaken }

  /// What is known of a token that the last round committed.
  ///
  /// - Parameter place: 0 for the first of them.
  /// - Returns: where it was drafted, `nil` for the target's own, and its scores if they are asked for.
  package func trace(of place: Int) -> (origin: DraftOrigin?, scores: TokenScores?) {
    (
      origins.indices.contains(place) ? origins[place] : nil,
      scores.indices.contains(place) ? scores[place] : nil
    )
  }

  /// Ends the sequence before its next round, unless it has ended.
  package func finish(_ reason: FinishReason) { sequence.finish(reason) }

  /// Ends the sequence where a stop string was found: behind the last token that was handed out. Those that
  /// the last round committed behind it are not counted.
  package func stop() {
    let kept = last.emitted - sequence.stop()
    statistics.cutRound(
      verified: last.verified, accepted: last.accepted, emitted: last.emitted, ended: last.ended,
      depth: last.depth, to: kept)
    for origin in origins.dropFirst(kept) { statistics.countAccepted(origin, by: -1) }
  }

  // MARK: What the loop does with it

  /// Sees that there is memory for all tokens and a round of `rows`, or fails.
  func reserve(_ rows: Int) {
    let positions = min(sequence.tokens.count + rows, cache.capacity)
    do {
      try cache.reserve(positions)
      try strategy.reserve(positions)
    } catch {
      sequence.fail(error)
    }
  }

  /// Gives its memory back. ``restart(in:strategy:)`` must follow before another round.
  func rest() {
    cache.release()
    strategy = PlainStrategy()
    isPrefilled = false
  }

  /// Starts over with an empty cache, into which all committed tokens but the anchor are read again, and with
  /// a strategy of its own, since strategies decide speed only.
  func restart(in cache: KeyValueCache, strategy: any RoundStrategy) {
    precondition(cache.count == 0, "the cache belongs to another sequence")
    self.cache = cache
    self.strategy = strategy
    isPrefilled = false
    strategy.begin(sequence, room: room)
    strategy.keepCandidates(in: tracer?.candidates)
  }

  /// Reads the prompt but for its last token.
  func prefill(_ runner: CausalRunner) {
    var watch = Stopwatch()
    runner.read(
      sequence.tokens[cache.count...].dropLast(), into: cache, logits: wantsLogits ? .all : .none
    ) { piece in
      take(runner, rows: piece.count, firstRow: 0)
      guard !isCancelled() else {
        finish(.cancelled)
        return false
      }
      return true
    }
    statistics.prefillSeconds += watch.lap()
  }

  /// Whether scores of the prompt are missing.
  private var wantsLogits: Bool { promptScorer != nil && promptScores.count < promptLength - 1 }

  /// Notes whether the prompt was read.
  func checkPrompt() {
    guard !isPrefilled, !hasEnded, cache.count == sequence.tokens.count - 1 else { return }
    isPrefilled = true
    if endsBehindPrompt { finish(.length) }
  }

  /// How many tokens of the prompt can be taken from copies: all that are read.
  var readable: ArraySlice<Token> { sequence.tokens.dropLast() }

  /// What is to be read next of the prompt, which isn't read yet.
  ///
  /// - Parameter rows: the most tokens.
  func slice(_ rows: Int) -> TextSlice {
    let end = min(cache.count + rows, sequence.tokens.count - 1)
    return TextSlice(sequence.tokens[cache.count..<end], in: cache, wantsLogits: wantsLogits)
  }

  /// Decodes from the round on that reads a slice, if that is the end of the prompt.
  func join(behind slice: TextSlice) -> Bool {
    guard cache.count + slice.tokens.count == sequence.tokens.count - 1, !slice.wantsLogits,
      !endsBehindPrompt
    else { return false }
    isPrefilled = true
    return true
  }

  /// Takes what a pass said to a slice, which is in the cache now.
  func settle(_ runner: CausalRunner, slice: TextSlice, firstRow: Int) {
    take(runner, rows: slice.tokens.count, firstRow: firstRow)
  }

  func record(prefill seconds: Double) { statistics.prefillSeconds += seconds }

  /// Takes the features and the scores of the last `rows` positions in the cache.
  private func take(_ runner: CausalRunner, rows: Int, firstRow: Int) {
    strategy.commit(features: runner.taps(from: firstRow), rows: rows)
    guard wantsLogits, let promptScorer else { return }
    let logits = RowLogits(runner, firstRow: firstRow)
    // Where a sequence started over, the first were scored before.
    for row in 0..<rows where cache.count - rows + row == promptScores.count {
      promptScorer.read(logits[row])
      promptScores.append(promptScorer.scores(of: sequence.tokens[promptScores.count + 1]))
    }
  }

  /// Commits the target's own choices along the tree, as far as drafts agree, and one more.
  ///
  /// - Returns: How many drafts were accepted.
  func accept(_ logits: RowLogits, in tree: TokenTree) -> Int {
    scores.removeAll(keepingCapacity: true)
    // A round without drafts is plain decoding's.
    if sequence.verification != .match, tree.count > 1, tree.isChain { return weigh(logits, tree) }
    return AcceptanceRule.path(
      in: tree, into: &path, choice: { choose(logits[$0]) }, emit: { sequence.commit($0) })
  }

  private func choose(_ row: UnsafeMutablePointer<Float>) -> Token? {
    scorer?.read(row)
    let token = sequence.choose(row)
    if let scorer, let token { scores.append(scorer.scores(of: token)) }
    return token
  }

  /// Token or block verification of a chain.
  ///
  /// - Returns: How many drafts were accepted.
  private func weigh(_ logits: RowLogits, _ tree: TokenTree) -> Int {
    let verifier = self.verifier ?? DraftVerifier(vocabulary: vocabulary)
    self.verifier = verifier
    let drafts = tree.tokens.dropFirst()
    let start = sequence.tokens.count
    let isBlock = sequence.verification == .block
    // Only what was drawn has a distribution, and matches in earlier text are not drawn.
    let drawn = request.flatMap { request in
      request.block.tokens.starts(with: drafts) ? request.chooser.distributions : nil
    }
    if scorer != nil { keepRaw(logits, rows: tree.count) }
    // Rows of a block are looked at before the drafts before them are committed.
    var behind: [Token] = []
    let chain = DraftVerifier.Chain(
      drafts: drafts,
      noise: VerificationNoise(seed: sequence.sampling.seed, start: start),
      drafted: { drawn?[$0] },
      row: { [self] place in
        if isBlock, place > 0, sequence.sampling.usesContext {
          let before = drafts[drafts.startIndex + place - 1]
          if !sequence.context.contains(before), !behind.contains(before) { behind.append(before) }
        }
        return sequence.process(logits[place], behind: behind) ? logits[place] : nil
      },
      bonus: { [self] in sequence.choose(logits[drafts.count]) },
      emit: { [self] in sequence.commit($0) })
    let (accepted, emitted) = verifier.verify(chain, by: sequence.verification)
    path.removeAll(keepingCapacity: true)
    path.append(contentsOf: 0..<emitted)
    if let scorer, let rawRows {
      for (row, token) in sequence.tokens.suffix(emitted).enumerated() {
        scorer.read(rawRows.base + row * vocabulary)
        scores.append(scorer.scores(of: token))
      }
    }
    return accepted
  }

  private func keepRaw(_ logits: RowLogits, rows: Int) {
    let kept =
      rawRows.flatMap { $0.count >= rows * vocabulary ? $0 : nil }
      ?? FloatBuffer(count: rows * vocabulary)
    rawRows = kept
    for row in 0..<rows {
      (kept.base + row * vocabulary).update(from: logits[row], count: vocabulary)
    }
  }

  /// Keeps what was accepted in the cache and tells the strategy.
  func settle(_ runner: CausalRunner, tree: TokenTree, accepted: Int, logits: RowLogits) {
    runner.keep(path, of: tree, firstRow: logits.firstRow, cache: cache)
    strategy.commit(features: runner.taps(from: logits.firstRow), rows: path.count)
    origins.removeAll(keepingCapacity: true)
    strategy.settle(
      RoundOutcome(tree: tree, path: path, accepted: accepted, logits: logits), &sequence,
      accept: {
        origins.append($0)
        statistics.countAccepted($0)
      })
  }

  /// Counts the round, and tells the strategy and an observer.
  ///
  /// - Parameters:
  ///   - seconds: this sequence's part of what the round took.
  ///   - price: the whole round's; `nil` where it was no usual one.
  func record(
    tree: TokenTree, accepted: Int, seconds: RoundRecord.Seconds, price: RoundPrice?,
    logits: RowLogits
  ) {
    let passDrafts = request?.block.tokens.count ?? 0
    let drafted = max(passDrafts, tree.count - 1)
    last = LastRound(
      verified: tree.count - 1, accepted: accepted, emitted: path.count,
      ended: finishReason != nil, depth: tree.depth)
    statistics.countRound(
      drafted: drafted, verified: last.verified, accepted: accepted, emitted: path.count,
      ended: last.ended, depth: last.depth, passes: request?.block.passes ?? 0)
    statistics.draftSeconds += seconds.draft
    statistics.verifySeconds += seconds.verify
    statistics.samplingSeconds += seconds.sampling
    statistics.decodeSeconds += seconds.total
    if var price {
      price.emitted = path.count
      strategy.learn(price)
    }
    tracer?.observe(
      RoundOutcome(tree: tree, path: path, accepted: accepted, logits: logits),
      of: strategy, drafted: drafted, passDrafts: passDrafts, tokens: sequence.tokens,
      seconds: seconds)
    request = nil
  }
}
