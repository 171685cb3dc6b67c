import Files

/// Watches what a drafter is worth over the generations of a generator, and says so once where it is nothing.
struct DrafterWatch {
  private var rounds = 0
  private var passes = 0
  private var accepted = 0
  private var saidNothing = false
  private var saidContext = false

  /// Rounds after which a drafter is judged.
  static let rounds = 50
  /// Draft passes that it must have had by then; the cost model may leave it out where it doesn't pay.
  static let passes = 16

  /// Takes a generation.
  ///
  /// - Returns: What there is to say of the drafter that wasn't said before.
  mutating func notices(of drafter: DrafterModel, after result: GenerationResult) -> [Notice] {
    let statistics = result.statistics
    guard statistics.draftPasses > 0 else { return [] }
    rounds += statistics.rounds
    passes += statistics.draftPasses
    accepted +=
      statistics.acceptedTokens - statistics.suffixTokens - statistics.recycledTokens
      - statistics.scaffoldTokens
    var notices: [Notice] = []
    if !saidNothing, rounds >= Self.rounds, passes >= Self.passes, accepted * 50 <= passes {
      saidNothing = true
      notices.append(
        Notice(
          drafter.path ?? "the drafter",
          "its \(passes) passes gave \(accepted) tokens that the target takes; is it made for this target? "
            + "Give another ‘drafter’, or none"))
    }
    let length = result.prompt.count + result.tokens.count
    if !saidContext, let context = drafter.trainedContext, length > context {
      saidContext = true
      notices.append(
        Notice(
          drafter.configurationPath ?? "the drafter", keys: ["max_position_embeddings"],
          "the text has \(length) tokens, but the drafter was trained for \(context); expect fewer accepted "
            + "drafts behind them"))
    }
    return notices
  }
}
