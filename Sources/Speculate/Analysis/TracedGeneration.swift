public import Tensors

/// One generation as its observer saw it, from the first round to the last.
public struct TracedGeneration: Sendable, Equatable {
  /// Tokens of the prompt.
  public var promptTokens: Int
  /// The rounds, in order; their positions follow on one another.
  public var rounds: [RoundRecord]
  /// Why it ended.
  public var finishReason: FinishReason
  /// Seconds of prefill.
  public var prefillSeconds: Double

  /// Makes a generation.
  public init(
    promptTokens: Int, rounds: [RoundRecord], finishReason: FinishReason, prefillSeconds: Double
  ) {
    self.promptTokens = promptTokens
    self.rounds = rounds
    self.finishReason = finishReason
    self.prefillSeconds = prefillSeconds
  }

  /// The generated ids.
  public var tokens: [Token] { rounds.flatMap(\.tokens) }

  /// Seconds of decoding, prefill excluded.
  public var seconds: Double { rounds.reduce(0) { $0 + $1.seconds.total } }

  /// How many of a round's drafts the target judged: all, unless the output ended among them.
  ///
  /// A stop string is found in the text afterwards; the round did not know of it.
  public func judged(_ index: Int) -> Int {
    let round = rounds[index]
    let isCut =
      index == rounds.count - 1 && (finishReason == .endToken || finishReason == .length)
    return isCut ? min(round.drafts.count, round.tokens.count) : round.drafts.count
  }

  /// The drafts of a round that the target was asked about: those whose predecessors it took, unless
  /// the output ended before them.
  public func asked(_ index: Int) -> [(draft: Int, isAccepted: Bool)] {
    let round = rounds[index]
    let path = round.acceptedDrafts
    guard !round.parents.isEmpty else {
      return (0..<min(judged(index), path.count + 1)).map { ($0, $0 < path.count) }
    }
    let asked = [-1] + path.prefix(max(0, judged(index) - 1))
    return round.drafts.indices.filter { asked.contains(round.parents[$0]) }.map {
      ($0, path.contains($0))
    }
  }

  /// Why the rounds do not add up to a generation; `nil` if they do.
  ///
  /// A trace that was damaged without becoming unreadable is found here.
  public var inconsistency: String? {
    var position = promptTokens
    for (index, round) in rounds.enumerated() {
      if let problem = round.inconsistency { return "round \(index + 1): \(problem)" }
      guard round.position == position else {
        return "round \(index + 1) starts at position \(round.position), not at \(position)"
      }
      position += round.tokens.count
    }
    return nil
  }
}

extension RoundRecord {
  /// Which of the record's fields contradict each other; `nil` if none do.
  public var inconsistency: String? {
    if tokens.isEmpty { return "it has no token" }
    if probabilities.count != tokens.count {
      return "\(probabilities.count) probabilities for \(tokens.count) tokens"
    }
    if drafted < drafts.count { return "\(drafts.count) drafts verified of \(drafted)" }
    if drafted < passDrafts { return "\(passDrafts) drafts of a pass, but \(drafted) in all" }
    if !origins.isEmpty && origins.count != drafts.count {
      return "\(origins.count) sources for \(drafts.count) drafts"
    }
    if !confidences.isEmpty && confidences.count != drafts.count {
      return "\(confidences.count) confidences for \(drafts.count) drafts"
    }
    if accepted < 0 || accepted > drafts.count || accepted > tokens.count
      || tokens.count > accepted + 1
    {
      return "\(accepted) of \(drafts.count) drafts accepted, but \(tokens.count) tokens"
    }
    if rows < 1 { return "\(rows) rows" }
    if let problem = treeInconsistency { return problem }
    let times = [seconds.draft, seconds.verify, seconds.sampling, seconds.other]
    if !times.allSatisfy({ $0.isFinite && $0 >= 0 }) { return "a time below 0" }
    let candidates = (rejection?.draft ?? []) + (rejection?.target ?? [])
    let chances =
      probabilities + confidences.compactMap(\.self) + candidates.map(\.probability)
      + (rejection.map { [$0.probability] } ?? [])
    // Sums of many floats may pass 1 by a little.
    if !chances.allSatisfy({ $0 >= 0 && $0 <= 1.001 }) { return "a probability outside 0 to 1" }
    return nil
  }

  private var treeInconsistency: String? {
    if parents.isEmpty {
      let agrees = drafts.prefix(accepted).elementsEqual(tokens.prefix(accepted))
      return agrees ? nil : "the accepted drafts are not the tokens"
    }
    guard parents.count == drafts.count,
      parents.enumerated().allSatisfy({ (-1..<$0).contains($1) })
    else { return "the parents of the drafts make no tree" }
    return acceptedDrafts.count == accepted ? nil : "the accepted drafts are not the tokens"
  }
}
