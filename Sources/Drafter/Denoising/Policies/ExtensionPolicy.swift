/// Goes on behind a block while its drafts are sure: all become the context of another block (FailFast, arXiv
/// 2512.20573). With `cost` it goes on where that is expected to pay instead.
package struct ExtensionPolicy: NamedPolicy {
  package static let name = "extend"
  package static let about = "more drafts behind a block while it is sure (FailFast)"
  package static let settings = [
    DenoisingSetting("threshold", 0.45, 0...2, "probability of each draft of the last rows"),
    DenoisingSetting(
      "rows", 10, 1...64, isWhole: true, "drafts of another pass, or the drafter's most"),
    DenoisingSetting("most", 60, 1...256, isWhole: true, "drafts of a round"),
    DenoisingSetting(
      "cost", 0, 0...1, isWhole: true, "1 goes on where it is expected to pay by what passes cost"),
  ]

  private let threshold: Float
  private let rows: Int
  private let most: Int
  private let weighsCosts: Bool
  private var acceptance = Mean(0.7, weight: 8)
  private var tau = Mean(4, weight: 8)
  private var isSettled = false

  package init(_ values: DenoisingValues) {
    threshold = values["threshold"]
    rows = values.whole("rows")
    most = values.whole("most")
    weighsCosts = values.isOn("cost")
  }

  package var readsCosts: Bool { weighsCosts }
  package var learns: Bool { weighsCosts }
  package var needs: Set<DenoisingNeed> { [.extensions] }
  // What passes cost is held against how likely the drafts are that were chosen.
  package var fixesLeftRuns: Bool { !weighsCosts }

  package func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    let count = min(rows, most - block.drafts.count, block.capacity)
    guard count > 0 else { return .done }
    let goesOn =
      weighsCosts
      ? pays(
        survival: block.confidences.reduce(1) { $0 * Double(min(max($1, 0), 1)) },
        drafts: block.drafts.count, more: count, round.costs)
      : block.masked.allSatisfy { block.certainty(of: $0) >= threshold }
    guard goesOn else { return .done }
    var plan = DenoisingPlan()
    plan.extend = count
    return .pass(plan)
  }

  /// Whether more drafts bring more tokens than the time of their pass and rows does.
  package func pays(
    survival: Double, drafts: Int, more: Int, _ costs: any RoundCosts
  ) -> Bool {
    var (chance, tokens) = (survival, 0.0)
    for _ in 0..<more {
      chance *= acceptance.value
      tokens += chance
    }
    let pass = costs.drafting(more)
    let rows = costs.verifying(drafts + more + 1) - costs.verifying(drafts + 1)
    let round = costs.drafting(drafts) + costs.verifying(drafts + 1)
    return tokens > tau.value * (pass + rows) / round
  }

  package mutating func settle() { isSettled = true }

  package mutating func observe(_ verdict: DenoisingVerdict) {
    guard !isSettled else { return }
    tau.add(Double(1 + verdict.verified))
    for place in verdict.block.drafts.indices {
      guard let isRight = verdict.isRight(place) else { return }
      acceptance.add(isRight ? 1 : 0)
    }
  }
}
