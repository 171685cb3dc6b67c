package import Files
import Tensors
package import Verifier

/// Drafts along texts that are known already: what rounds of any way to draft would have accepted,
/// without a target pass for each.
///
/// Lossless decoding gives the same text whatever is drafted, so a recorded output says what the
/// target will choose. One prefill of the text gives the target's features; after that a round
/// costs a draft pass. The rounds are those of ``DraftStrategy``, trees and matches in earlier
/// text included; only what the target predicts behind a rejection, which recycling wants, is not
/// known.
package final class DraftReplay {
  package struct Text: Sendable, Equatable {
    package var prompt: [Token]
    package var output: [Token]

    package init(prompt: [Token], output: [Token]) {
      self.prompt = prompt
      self.output = output
    }
  }

  /// A round as it would have been.
  package struct Round: Sendable, Equatable {
    /// Drafts that a draft pass made; 0 where none ran.
    package var drafted: Int
    package var verified: Int
    package var accepted: Int
    package var emitted: Int
    /// Passes of a block drafter; 1 of another source, however it drafts.
    package var passes: Int
    /// Rows of the target pass, the anchor's included.
    package var rows: Int { verified + 1 }
    /// Rows that went through a block drafter's layers.
    package var passRows: Int

    package init(
      drafted: Int, verified: Int, accepted: Int, emitted: Int, passes: Int, passRows: Int
    ) {
      self.drafted = drafted
      self.verified = verified
      self.accepted = accepted
      self.emitted = emitted
      self.passes = passes
      self.passRows = passRows
    }
  }

  private let runner: CausalRunner
  private let source: (any DraftSource)?
  /// Features of the text's positions, but the last: [positions][featureWidth].
  private var features = FloatBuffer(count: 1)
  private let featureWidth: Int
  private var text = Text(prompt: [], output: [])

  /// Prepares replaying.
  ///
  /// - Parameters:
  ///   - runner: the target, with the source's taps.
  ///   - source: what drafts, with room for the longest text; `nil` for drafts from the text only.
  package init(runner: CausalRunner, source: (any DraftSource)?) {
    self.runner = runner
    self.source = source
    featureWidth = (source?.taps.count ?? 0) * runner.model.configuration.hiddenSize
  }

  /// Computes the features of a text, which is replayed from now on.
  ///
  /// - Throws: ``SpeculateError`` when there is no memory for its cache.
  package func load(_ text: Text) throws {
    precondition(!text.prompt.isEmpty && !text.output.isEmpty, "nothing to replay")
    self.text = text
    guard source != nil else { return }
    let tokens = text.prompt + text.output
    features = FloatBuffer(count: max(1, (tokens.count - 1) * featureWidth))
    let cache = try runner.makeCache(capacity: tokens.count)
    runner.read(tokens.dropLast(), into: cache) { piece in
      (features.base + piece.lowerBound * featureWidth).update(
        from: runner.taps, count: piece.count * featureWidth)
      return true
    }
  }

  /// Replays the loaded text.
  ///
  /// - Parameters:
  ///   - parameters: those the output was generated with.
  ///   - length: how many tokens to draft; an adaptive one learns.
  ///   - choice: how drafts are chosen.
  ///   - suffix: whether the end of the text is looked up in earlier text.
  ///   - branches: at how many tokens beside its first choice the source looks.
  ///   - cost: the times that an adaptive length is told.
  ///   - recorder: is told the source's choices, of chains.
  /// - Returns: The rounds.
  /// - Throws: ``SpeculateError`` for a text that no decoder would take.
  package func rounds(
    parameters: GenerationParameters, length: inout DraftLength, choice: DraftChoice,
    suffix: Bool = false, branches: Int = 0, cost: CostModel, recorder: ChoiceRecorder? = nil
  ) throws -> [Round] {
    var draftBudget: DraftBudget?
    if case .adaptive(let known) = length { draftBudget = DraftBudget(known.cost) }
    let strategy = DraftStrategy(
      source: source, length: length, choice: choice, branches: branches,
      free: FreeDraftOptions(suffix: suffix), costs: cost, budget: draftBudget)
    let tokens = text.prompt + text.output
    // A recorded output may be longer than the limit that is given now.
    var parameters = parameters
    parameters.maximumTokens = max(parameters.maximumTokens, text.output.count)
    let ends = parameters.endTokens(of: runner.model.configuration.endTokens)
    parameters.ignoresEnd = true
    // Known texts say what the target chose, and so whether drafts match.
    parameters.verification = .match
    var configuration = runner.model.configuration
    configuration.maximumContext = max(configuration.maximumContext, tokens.count)
    var sequence = try SequenceState(
      prompt: text.prompt, parameters: parameters, configuration: configuration,
      capacity: configuration.maximumContext)
    strategy.begin(
      sequence, room: SequenceRoom(capacity: tokens.count, maximumRows: runner.maximumRows))
    strategy.tellChoices(to: recorder)
    strategy.end(at: ends)
    try strategy.reserve(tokens.count + runner.maximumRows)
    var budget = RowBudget()
    var path: [Int] = []
    var rounds: [Round] = []
    let isBlock = source is BlockDraftSource
    commit(0..<text.prompt.count - 1, to: strategy)
    while sequence.tokens.count < tokens.count {
      let wish = strategy.request(
        sequence, drafts: drafts(strategy.offer(sequence, sharing: 1), draftBudget))
      if let wish {
        wish.source.draft(wish.request)
        wish.request.finish()
        if let failure = wish.request.failure { throw failure }
        recorder?.judge(tokens[sequence.tokens.count...])
      }
      budget.share([strategy.propose(sequence)], rows: runner.maximumRows)
      let tree = strategy.rows(budget.counts[0])
      let accepted = AcceptanceRule.path(
        in: tree, into: &path, choice: { _ in tokens[sequence.tokens.count] },
        emit: { sequence.commit($0) && sequence.tokens.count < tokens.count })
      let end = sequence.tokens.count - 1
      commit(end - path.count..<end, to: strategy)
      strategy.settle(
        RoundOutcome(
          tree: tree, path: path, accepted: accepted, logits: RowLogits(runner, firstRow: 0)),
        &sequence, accept: { _ in })
      let block = wish?.request.block
      let drafted = block?.tokens.count ?? 0
      rounds.append(
        Round(
          drafted: drafted, verified: tree.count - 1, accepted: accepted, emitted: path.count,
          passes: drafted == 0 ? 0 : isBlock ? block?.passes ?? 0 : 1,
          passRows: block?.passRows ?? 0))
      draftBudget?.record(
        RoundPrice(
          sequences: 1, rows: tree.count, drafted: drafted, emitted: path.count,
          draftSeconds: drafted > 0 ? cost.draft(drafted) : 0,
          verifySeconds: cost.verify(tree.count)))
    }
    if let policy = strategy.learnedLength { length = .adaptive(policy) }
    return rounds
  }

  /// How many drafts the source makes for an offer.
  private func drafts(_ offer: DraftOffer?, _ budget: DraftBudget?) -> Int {
    guard let offer else { return 0 }
    budget?.share([offer], rows: runner.maximumRows)
    return offer.fixed ?? budget?.counts[0] ?? 0
  }

  private func commit(_ positions: Range<Int>, to strategy: DraftStrategy) {
    guard source != nil, !positions.isEmpty else { return }
    strategy.commit(
      features: features.base + positions.lowerBound * featureWidth, rows: positions.count)
  }
}

extension CostModel {
  package func seconds(of rounds: some Sequence<DraftReplay.Round>) -> Double {
    rounds.reduce(0) {
      $0 + verify($1.rows) + ($1.drafted > 0 ? Double($1.passes) * draft($1.drafted) : 0)
    }
  }
}
