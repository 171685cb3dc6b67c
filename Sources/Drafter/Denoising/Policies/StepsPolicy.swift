/// A number of passes, whatever they say: the surest masks after each, or the leftmost. As many passes as
/// drafts are step-by-step decoding, which self-verification (FreeDave, arXiv 2510.00294) gives the drafts of.
package struct StepsPolicy: NamedPolicy {
  package static let name = "steps"
  package static let about = "a fixed number of passes, with LaViDa's shift"
  package static let settings = [
    DenoisingSetting("count", 2, 1...64, isWhole: true, "passes of a block"),
    DenoisingSetting("left", 0, 0...1, isWhole: true, "1 fixes from the left, 0 the surest first"),
    DenoisingSetting("shift", 1, 0.01...100, "below 1 fixes few early and many late"),
  ]

  private let passes: Int
  private let isLeft: Bool
  private let shift: Double

  package init(_ values: DenoisingValues) {
    passes = values.whole("count")
    isLeft = values.isOn("left")
    shift = Double(values["shift"])
  }

  package var fixesLeftRuns: Bool { isLeft }

  package func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    guard block.passes < passes else { return .done }
    let rows = block.drafts.count
    let counts = FixingRules.shifted(shift, rows: rows, passes: min(passes, rows))
    guard block.passes <= counts.count else { return .done }
    let (count, masked) = (counts[block.passes - 1], block.masked)
    return block.fixing(
      isLeft
        ? Array(masked.prefix(count))
        : FixingRules.surest(count, of: masked, certainty: block.certainty))
  }
}
