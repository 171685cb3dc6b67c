public import Tensors
public import Verifier

/// Drafts along texts that are known already: what rounds of any draft length would have accepted,
/// without a target pass for each.
///
/// Lossless decoding gives the same text whatever is drafted, so a recorded output says what the
/// target will choose. One prefill of the text gives the target's features; after that a round
/// costs a draft pass. The rounds are those of ``DraftVerifyDecoder`` with the drafter as the only
/// source: drafts from the text itself, which an adaptive length has beside it, are left out.
public final class DraftReplay {
  /// A text to replay.
  public struct Text: Sendable, Equatable {
    /// The prompt's ids.
    public var prompt: [Token]
    /// The output's ids.
    public var output: [Token]

    /// Makes a text.
    public init(prompt: [Token], output: [Token]) {
      self.prompt = prompt
      self.output = output
    }
  }

  /// A round as it would have been.
  public struct Round: Sendable, Equatable {
    /// Drafts proposed.
    public var drafted: Int
    /// Drafts verified.
    public var verified: Int
    /// Drafts accepted.
    public var accepted: Int
    /// Tokens committed.
    public var emitted: Int
  }

  private let runner: CausalRunner
  private let source: any DraftSource
  /// Features of the text's positions, but the last: [positions][featureWidth].
  private var features = FloatBuffer(count: 1)
  private let featureWidth: Int
  private var text = Text(prompt: [], output: [])

  /// Prepares replaying.
  ///
  /// - Parameters:
  ///   - runner: the target, with the source's taps.
  ///   - source: what drafts, with room for the longest text.
  public init(runner: CausalRunner, source: any DraftSource) {
    self.runner = runner
    self.source = source
    featureWidth = source.taps.count * runner.model.configuration.hiddenSize
  }

  /// Computes the features of a text, which is replayed from now on.
  ///
  /// - Throws: ``SpeculateError`` when there is no memory for its cache.
  public func load(_ text: Text) throws {
    precondition(!text.prompt.isEmpty && !text.output.isEmpty, "nothing to replay")
    self.text = text
    let tokens = text.prompt + text.output
    features = FloatBuffer(count: max(1, (tokens.count - 1) * featureWidth))
    let cache = try runner.makeCache(capacity: tokens.count)
    var position = 0
    TargetRun(runner: runner, cache: cache).prefill(tokens) { rows in
      (features.base + position * featureWidth).update(
        from: runner.taps, count: rows * featureWidth)
      position += rows
      return true
    }
  }

  /// Replays the loaded text.
  ///
  /// - Parameters:
  ///   - parameters: those the output was generated with.
  ///   - length: how many tokens to draft; an adaptive one learns.
  ///   - choice: how drafts are chosen.
  ///   - cost: the times that an adaptive length is told.
  /// - Returns: The rounds.
  public func rounds(
    parameters: GenerationParameters, length: inout DraftLength, choice: DraftChoice,
    cost: CostModel
  ) -> [Round] {
    let context = TokenPresence(vocabulary: runner.model.configuration.vocabularySize)
    for token in text.prompt { context.push(token) }
    var chooser = DraftChooser(parameters.sampling, choice: choice, context: context)
    var block = DraftBlock()
    var committed = text.prompt
    var emitted = 0
    var rounds: [Round] = []
    source.rewind(to: 0)
    commit(0..<committed.count - 1)
    while emitted < text.output.count {
      let limit = min(
        source.maximumDrafts, runner.maximumRows - 1, parameters.maximumTokens - emitted - 1)
      block.removeAll()
      let count = Self.draftCount(&length, limit: limit)
      if count > 0 {
        source.draft(after: committed, count: count, chooser: &chooser, into: &block)
        chooser.finishBlock()
        block.truncate(to: count)
      }
      let drafted = block.tokens.count
      cut(&block, length)
      let rest = text.output[emitted...]
      let accepted = zip(block.tokens, rest).prefix { $0 == $1 }.count
      let new = Array(rest.prefix(accepted + 1))
      committed += new
      for token in new { context.push(token) }
      emitted += new.count
      commit((committed.count - 1 - new.count)..<committed.count - 1)
      rounds.append(
        Round(
          drafted: drafted, verified: block.tokens.count, accepted: accepted, emitted: new.count))
      if case .adaptive(var policy) = length {
        policy.record(
          drafted: drafted, verified: block.tokens.count, accepted: accepted,
          confidences: block.confidences, draftSeconds: drafted > 0 ? cost.draft(drafted) : nil,
          verifySeconds: cost.verify(block.tokens.count + 1))
        length = .adaptive(policy)
      }
    }
    return rounds
  }

  private func commit(_ positions: Range<Int>) {
    guard !positions.isEmpty else { return }
    source.commit(
      features: features.base + positions.lowerBound * featureWidth, rows: positions.count)
  }

  private static func draftCount(_ length: inout DraftLength, limit: Int) -> Int {
    switch length {
    case .fixed(let count): return min(count, limit)
    case .adaptive(var policy):
      let count = policy.draftCount(limit: limit)
      length = .adaptive(policy)
      return count
    }
  }

  private func cut(_ block: inout DraftBlock, _ length: DraftLength) {
    guard case .adaptive(let policy) = length, !block.confidences.isEmpty,
      block.confidences.count == block.tokens.count
    else { return }
    var product = 1.0
    let chances = block.confidences.enumerated().map { place, confidence in
      product *= policy.chances.conditional(.model(place: place, confidence: confidence))
      return product
    }
    block.truncate(to: policy.cost.nodeCount(chances: chances, drafted: chances.count).count)
  }
}

extension CostModel {
  /// What rounds would take.
  public func seconds(of rounds: some Sequence<DraftReplay.Round>) -> Double {
    rounds.reduce(0) {
      $0 + verify($1.verified + 1) + ($1.drafted > 0 ? draft($1.drafted) : 0)
    }
  }

  /// Pass times as rounds show them: the mean of each width, so that what disturbs a run counts.
  ///
  /// - Returns: `nil` without a round.
  public init?(averaging rounds: some Sequence<RoundRecord>) {
    var verify: [(width: Int, seconds: Double)] = []
    var draft: [(width: Int, seconds: Double)] = []
    for round in rounds {
      let rest = round.seconds.verify + round.seconds.sampling + round.seconds.other
      if rest > 0 { verify.append((round.rows, rest)) }
      if round.drafted > 0, round.seconds.draft > 0 {
        draft.append((round.drafted, round.seconds.draft))
      }
    }
    guard !verify.isEmpty else { return nil }
    self.init(
      verify: PassTimes(verify), draft: draft.isEmpty ? PassTimes([(1, 1e-9)]) : PassTimes(draft))
  }
}
