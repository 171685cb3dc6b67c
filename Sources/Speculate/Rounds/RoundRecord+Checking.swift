extension RoundRecord {
  /// Which of the record's fields contradict each other; `nil` if none do.
  package var inconsistency: String? {
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
