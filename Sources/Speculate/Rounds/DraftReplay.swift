public import Files
import Tensors
public import Verifier

/// Drafts along texts that are known already: what rounds of any way to draft would have accepted,
/// without a target pass for each.
///
/// Lossless decoding gives the same text whatever is drafted, so a recorded output says what the
/// target will choose. One prefill of the text gives the target's features; after that a round
/// costs a draft pass. The rounds are those of ``DraftVerifyDecoder``, trees and matches in earlier
/// text included; only what the target predicts behind a rejection, which recycling wants, is not
/// known.
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
    /// Drafts that a draft pass made; 0 where none ran.
    public var drafted: Int
    /// Drafts verified.
    public var verified: Int
    /// Drafts accepted.
    public var accepted: Int
    /// Tokens committed.
    public var emitted: Int
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
  public init(runner: CausalRunner, source: (any DraftSource)?) {
    self.runner = runner
    self.source = source
    featureWidth = (source?.taps.count ?? 0) * runner.model.configuration.hiddenSize
  }

  /// Computes the features of a text, which is replayed from now on.
  ///
  /// - Throws: ``SpeculateError`` when there is no memory for its cache.
  public func load(_ text: Text) throws {
    precondition(!text.prompt.isEmpty && !text.output.isEmpty, "nothing to replay")
    self.text = text
    guard source != nil else { return }
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
  ///   - suffix: whether the end of the text is looked up in earlier text.
  ///   - cost: the times that an adaptive length is told.
  /// - Returns: The rounds.
  public func rounds(
    parameters: GenerationParameters, length: inout DraftLength, choice: DraftChoice,
    suffix: Bool = false, cost: CostModel
  ) -> [Round] {
    let configuration = runner.model.configuration
    let context = TokenPresence(vocabulary: configuration.vocabularySize)
    for token in text.prompt { context.push(token) }
    var drafter = RoundDrafter(
      source: source,
      chooser: DraftChooser(parameters.sampling, choice: choice, context: context),
      length: length, free: FreeDraftOptions(suffix: suffix), prompt: text.prompt,
      capacity: text.prompt.count + text.output.count, maximumRows: runner.maximumRows)
    let tokens = text.prompt + text.output
    let (sum, overflow) = text.prompt.count.addingReportingOverflow(parameters.maximumTokens)
    let limit = max(
      tokens.count, overflow ? configuration.maximumContext : min(sum, configuration.maximumContext)
    )
    var committed = text.prompt
    var rounds: [Round] = []
    commit(0..<committed.count - 1, to: &drafter)
    while committed.count < tokens.count {
      drafter.draft(after: committed, remaining: limit - committed.count)
      let tree = drafter.planner.rows
      let (path, accepted) = AcceptanceRule.path(
        in: tree, choice: { _ in tokens[committed.count] },
        emit: {
          committed.append($0)
          context.push($0)
          return committed.count < tokens.count
        })
      let end = committed.count - 1
      commit(end - path.count..<end, to: &drafter)
      drafter.commit(committed.suffix(path.count))
      let drafted = drafter.passDrafts
      rounds.append(
        Round(
          drafted: drafted, verified: tree.count - 1, accepted: accepted, emitted: path.count))
      drafter.record(
        path: path, next: tokens[end], draftSeconds: drafted > 0 ? cost.draft(drafted) : 0,
        verifySeconds: cost.verify(tree.count), accept: { _ in })
    }
    if let policy = drafter.planner.policy { length = .adaptive(policy) }
    return rounds
  }

  private func commit(_ positions: Range<Int>, to drafter: inout RoundDrafter) {
    guard source != nil, !positions.isEmpty else { return }
    drafter.commit(
      features: features.base + positions.lowerBound * featureWidth, rows: positions.count)
  }
}

extension CostModel {
  /// What rounds would take.
  public func seconds(of rounds: some Sequence<DraftReplay.Round>) -> Double {
    rounds.reduce(0) {
      $0 + verify($1.verified + 1) + ($1.drafted > 0 ? draft($1.drafted) : 0)
    }
  }
}
