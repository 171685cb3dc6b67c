/// Shares the rows of a target pass out over its sequences (docs/algorithms.md 5a).
///
/// Every sequence has its anchor's row. Nodes of all sequences are ranked by their chance, and as many get
/// rows as bring the highest expected rate of the whole pass. With many sequences the anchors alone fill
/// the rows that are nearly free, and drafts are dropped by themselves.
package struct RowBudget {
  /// Nodes of a sequence that get rows: [proposals].
  package private(set) var counts: [Int] = []

  /// Ranked nodes of several sequences: scratch.
  private var nodes: [(chance: Double, owner: Int)] = []
  private var chances: [Double] = []

  package init() {}

  /// Shares rows out.
  ///
  /// - Parameters:
  ///   - proposals: one a sequence.
  ///   - rows: rows that the pass has for them, at least one a sequence.
  ///   - beside: rows that it has for others.
  package mutating func share(_ proposals: [RowProposal], rows: Int, beside: Int = 0) {
    counts.removeAll(keepingCapacity: true)
    let spare = rows - proposals.count
    if proposals.count == 1 {
      shareAlone(proposals[0], spare: spare, beside: beside)
    } else {
      keep(proposals, spare: spare)
      shareTogether(proposals, spare: spare, beside: beside)
    }
  }

  private mutating func shareAlone(_ proposal: RowProposal, spare: Int, beside: Int) {
    let kept = min(proposal.kept, spare)
    guard let cost = proposal.cost else { return counts.append(kept) }
    let best = cost.nodeCount(
      chances: proposal.chances, kept: kept, limit: min(proposal.limit, spare),
      drafted: proposal.drafted, beside: beside)
    counts.append(best.count)
  }

  /// Gives each sequence the nodes that it has in any case, or an equal part if they are too many.
  private mutating func keep(_ proposals: [RowProposal], spare: Int) {
    var most = Int.max
    if proposals.reduce(0, { $0 + $1.kept }) > spare { most = max(0, spare) / proposals.count }
    for proposal in proposals { counts.append(min(proposal.kept, most)) }
  }

  private mutating func shareTogether(_ proposals: [RowProposal], spare: Int, beside: Int) {
    guard let cost = proposals.lazy.compactMap(\.cost).first else { return }
    let kept = counts.reduce(0, +)
    chances.removeAll(keepingCapacity: true)
    nodes.removeAll(keepingCapacity: true)
    for (owner, proposal) in proposals.enumerated() {
      chances += proposal.chances.prefix(counts[owner])
      guard proposal.cost != nil else { continue }
      for node in counts[owner]..<max(counts[owner], min(proposal.limit, proposal.chances.count)) {
        nodes.append((proposal.chances[node], owner))
      }
    }
    // A sequence's own nodes fall already, so that those before others of it stay before them.
    nodes.sort { ($0.chance, $1.owner) > ($1.chance, $0.owner) }
    for node in nodes { chances.append(node.chance) }
    let best = cost.nodeCount(
      chances: chances, kept: kept, limit: spare,
      drafted: proposals.reduce(0) { $0 + $1.drafted }, roots: proposals.count, beside: beside)
    for node in nodes.prefix(best.count - kept) { counts[node.owner] += 1 }
  }
}
