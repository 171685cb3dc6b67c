import Files

/// Confident decoding: fixes every mask that is sure enough, and where none is, as many as a time schedule says
/// (Dimple, arXiv 2505.16990). The certainty is that of the row without a temperature.
package struct DimplePolicy: NamedPolicy {
  package static let name = "dimple"
  package static let about = "confident decoding, by a schedule where nothing is sure (Dimple)"
  package static let settings = [
    DenoisingSetting("threshold", 0.95, 0...2, "probability above which a mask is fixed"),
    DenoisingSetting("steps", 64, 1...1024, isWhole: true, "steps of the schedule"),
    DenoisingSetting(
      "fallback", 2, 0...2, isWhole: true,
      "where nothing is sure: 0 ends the block, 1 fixes random masks, 2 the surest"),
  ]

  private let threshold: Float
  private let steps: Int
  private let fallback: Int
  /// The schedule's next step.
  private var step = 0

  package init(_ values: DenoisingValues) {
    threshold = values["threshold"]
    steps = values.whole("steps")
    fallback = values.whole("fallback")
  }

  package mutating func begin(_ round: DenoisingRound) -> BlockOpening {
    step = 0
    return BlockOpening()
  }

  package mutating func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    let masked = block.masked
    let sure = masked.filter { block.certainty(of: $0) > threshold }
    if !sure.isEmpty { return block.fixing(sure) }
    guard fallback > 0, !masked.isEmpty else { return .done }
    let scheduled = Self.scheduled(
      masked: masked.count, total: block.drafts.count, steps: steps, from: step)
    step = scheduled.step + 1
    guard fallback == 1 else {
      return block.fixing(
        FixingRules.surest(scheduled.count, of: masked, certainty: block.certainty))
    }
    let key = UInt64(truncatingIfNeeded: round.position &* 64 &+ block.passes)
    var random = SplitMix(seed: SplitMix.mix(round.seed) ^ SplitMix.mix(key))
    return block.fixing(Array(masked.shuffled(using: &random).prefix(scheduled.count)))
  }

  /// How many masks the schedule `1 … 0.001` fixes, and at which of its steps: the first, from one on, whose
  /// time is past the share of masks and that fixes at least one; all at the last.
  package static func scheduled(
    masked: Int, total: Int, steps: Int, from first: Int = 0
  ) -> (count: Int, step: Int) {
    let share = Double(masked) / Double(max(1, total))
    func time(_ step: Int) -> Double { 1 - 0.999 * Double(step) / Double(steps) }
    for step in max(0, first)..<max(first, steps) where time(step + 1) < share {
      let count = Int(Double(masked) * (1 - time(step + 1) / share))
      if count >= 1, step + 1 < steps { return (count, step) }
    }
    return (masked, steps)
  }
}
