import Foundation
import Speculate
import TestSupport
import Testing

/// Rows of a pass are shared out over sequences by chance and cost.
@Suite struct RowBudgetTests {
  private let cost = CostModelTests.model

  private func share(_ proposals: [RowProposal], rows: Int) -> [Int] {
    var budget = RowBudget()
    budget.share(proposals, rows: rows)
    return budget.counts
  }

  private func proposal(_ chances: [Double], kept: Int = 0, limit: Int = 31) -> RowProposal {
    RowProposal(chances: chances, kept: kept, limit: limit, cost: cost)
  }

  @Test func aloneTheCostModelDecides() {
    var random = RandomNumbers(seed: 6)
    for _ in 0..<200 {
      let chances = CostModelTests.survival(.random(in: 0.2...1, using: &random), 31)
      let kept = Int.random(in: 0...5, using: &random)
      let best = cost.nodeCount(chances: chances, kept: kept, limit: 31, drafted: 0)
      #expect(share([proposal(chances, kept: kept)], rows: 32) == [best.count])
    }
  }

  @Test func theLikeliestNodesOfAllGetRows() {
    // Eight rows are free: three anchors, and the five likeliest nodes.
    #expect(
      share(
        [
          proposal([0.9, 0.8, 0.3, 0.2]), proposal([0.5, 0.05, 0.04]), proposal([0.7, 0.6, 0.1]),
        ], rows: 32) == [2, 1, 2])
    // Sixteen anchors leave nothing that is free.
    let many = [RowProposal](repeating: proposal([0.4, 0.3]), count: 16)
    #expect(share(many, rows: 32).allSatisfy { $0 == 0 })
  }

  @Test func whatIsKeptIsKeptAsFarAsThereIsRoom() {
    let fixed = RowProposal(chances: [1, 1, 1, 1, 1, 1], kept: 6, limit: 6)
    #expect(share([fixed, RowProposal(), fixed], rows: 32) == [6, 0, 6])
    #expect(share([fixed, RowProposal(), fixed], rows: 9) == [2, 0, 2])
    #expect(share([fixed, proposal([0.9]), fixed], rows: 3) == [0, 0, 0])
    var random = RandomNumbers(seed: 7)
    for _ in 0..<200 {
      let proposals = (0..<Int.random(in: 1...8, using: &random)).map { _ in
        let chances = CostModelTests.survival(.random(in: 0.2...1, using: &random), 12)
        return proposal(
          chances, kept: .random(in: 0...4, using: &random),
          limit: .random(in: 4...12, using: &random))
      }
      let rows = Int.random(in: proposals.count...40, using: &random)
      let counts = share(proposals, rows: rows)
      #expect(counts.reduce(0, +) + proposals.count <= rows)
      #expect(zip(counts, proposals).allSatisfy { $0 <= max($1.limit, $1.kept) })
    }
  }
}
