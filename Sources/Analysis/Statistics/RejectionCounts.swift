package import Speculate

/// Why blocks end: how far the source was from what the target chose.
package struct RejectionCounts: Sendable, Equatable, Codable {
  /// Rejections whose place the source told candidates of.
  package var total = 0
  /// Of these, by where the target's token stood among the source's candidates, 0 for the draft
  /// itself, which happens when the draft was not the most probable one: [rank].
  package var byRank: [Int] = []
  /// Of these, where it was not among the candidates.
  package var elsewhere = 0
  /// Rejections in which the target gave its token less than half of the probability: it was unsure
  /// itself.
  package var unsure = 0
  package var all = 0

  package init(_ rounds: some Sequence<RoundRecord>) {
    for round in rounds {
      guard let rejection = round.rejection, let token = round.tokens.last,
        let probability = round.probabilities.last
      else { continue }
      all += 1
      if probability < 0.5 { unsure += 1 }
      guard !rejection.draft.isEmpty else { continue }
      total += 1
      guard let rank = rejection.draft.firstIndex(where: { $0.token == token }) else {
        elsewhere += 1
        continue
      }
      while byRank.count <= rank { byRank.append(0) }
      byRank[rank] += 1
    }
  }
}
