import Drafter

/// What a round costs on this machine, and how many drafts pay (docs/algorithms.md 5).
///
/// Pure arithmetic on measured curves and survival probabilities. It decides widths, never tokens.
package struct CostModel: Sendable, Equatable, Codable, RoundCosts {
  /// `T_v(n)`: seconds of a target pass over `n` rows with logits for all, sampling included.
  package var verify: PassTimes
  /// `T_d(k)`: seconds to propose `k` drafts, context projection of a usual round included.
  package var draft: PassTimes

  package init(verify: PassTimes, draft: PassTimes) {
    self.verify = verify
    self.draft = draft
  }

  package func drafting(_ drafts: Int) -> Double { draft(drafts) }
  package func verifying(_ rows: Int) -> Double { verify(rows) }

  /// How many of the nodes of a draft tree to verify, for the highest expected rate of the round.
  ///
  /// Nodes of several sequences are weighed alike, because a pass costs what its rows cost, whichever
  /// sequences they belong to.
  ///
  /// - Parameters:
  ///   - chances: of each node to be accepted with all before it, in the order of preference.
  ///   - kept: nodes that are verified in any case.
  ///   - limit: the most nodes.
  ///   - drafted: drafts proposed by a model in this round. Its pass is paid for already, but it
  ///     still counts: the best round is the one with the highest rate over all its time.
  ///   - roots: sequences, each with a root that brings a token.
  ///   - beside: rows of the pass that bring none.
  /// - Returns: the number of nodes, roots not counted, and the expected tokens per second.
  package func nodeCount(
    chances: [Double], kept: Int = 0, limit: Int = .max, drafted: Int, roots: Int = 1,
    beside: Int = 0
  ) -> (count: Int, rate: Double) {
    let paid = drafted > 0 ? draft(drafted) : 0
    let rows = roots + beside
    var tokens = Double(roots) + chances.prefix(kept).reduce(0, +)
    var best = (count: kept, rate: tokens / (paid + verify(kept + rows)))
    for count in kept..<max(kept, min(limit, chances.count)) {
      tokens += chances[count]
      let rate = tokens / (paid + verify(count + 1 + rows))
      if rate > best.rate { best = (count + 1, rate) }
    }
    return best
  }
}
