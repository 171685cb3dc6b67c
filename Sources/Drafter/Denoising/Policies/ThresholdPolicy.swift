/// Fixes the masks of the first unfinished sub-block that are sure enough, or the surest (Fast-dLLM v2, arXiv
/// 2509.26328; with a factor instead of a threshold v1, arXiv 2505.22618).
package struct ThresholdPolicy: NamedPolicy {
  package static let name = "fast-dllm"
  package static let about = "sub-blocks from the left, each by a threshold (Fast-dLLM v2)"
  package static let settings = [
    DenoisingSetting("threshold", 0.9, 0...2, "probability from which a mask is fixed"),
    DenoisingSetting("subblock", 8, 1...64, isWhole: true, "rows of a sub-block"),
    DenoisingSetting("factor", 0, 0...64, "above 0 takes v1's rule of this factor instead"),
  ]

  private let threshold: Float
  private let rows: Int
  private let factor: Float

  package init(_ values: DenoisingValues) {
    threshold = values["threshold"]
    rows = values.whole("subblock")
    factor = values["factor"]
  }

  package func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    let masked = block.masked
    guard let first = masked.first else { return .done }
    let end = (first / rows + 1) * rows
    let places = masked.filter { $0 < end }
    return block.fixing(
      factor > 0
        ? FixingRules.factor(factor, of: places, certainty: block.certainty)
        : FixingRules.atLeast(threshold, of: places, certainty: block.certainty))
  }
}

/// Fixes the first drafts as far as each is sure enough, and fills the rest in a second pass: what is left of
/// threshold rules where the target verifies, because a draft right of a wrong one is worth nothing.
package struct LeftRunPolicy: NamedPolicy {
  package static let name = "left-run"
  package static let about = "a second pass behind the first drafts that are sure"
  package static let settings = [
    DenoisingSetting("threshold", 0.7, 0...2, "probability of each draft of the run"),
    DenoisingSetting("count", 2, 1...64, isWhole: true, "passes of a block"),
  ]

  private let threshold: Float
  private let passes: Int

  package init(_ values: DenoisingValues) {
    threshold = values["threshold"]
    passes = values.whole("count")
  }

  package var fixesLeftRuns: Bool { true }

  package func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    guard block.passes < passes else { return .done }
    return block.fixing(
      FixingRules.leftRun(threshold, of: block.masked, certainty: block.certainty))
  }
}
