import Foundation

/// Ends a block once it is sure enough for how far it has come: its masks' mean margin of logits is held
/// against a threshold that falls (SchED, arXiv 2512.02892). With `prophet` the threshold falls in three steps
/// (Prophet, the baseline in SchED's code).
package struct SchedulePolicy: NamedPolicy {
  package static let name = "sched"
  package static let about = "ends when sure enough for its progress (SchED)"
  package static let settings = [
    DenoisingSetting("high", 7.5, 0...100, "margin at the start"),
    DenoisingSetting("low", 2.5, 0...100, "margin at the end"),
    DenoisingSetting(
      "curve", 2, 0...3, isWhole: true, "0 linear, 1 cosine, 2 exponential, 3 Prophet's thirds"),
    DenoisingSetting("rate", 2, 0...64, "k of the exponential curve"),
    DenoisingSetting("steps", 2, 1...64, isWhole: true, "passes that the schedule spans"),
    DenoisingSetting(
      "stable", 0, 0...1, isWhole: true,
      "1 ends a block only where no proposal has changed since the pass before, as published"),
    DenoisingSetting(
      "survival", 1, 0...1, isWhole: true,
      "1 weighs margins by the chance that all drafts before are right"),
  ]

  private let threshold: ExitThreshold
  private let steps: Int
  private let isStable: Bool
  private let weighs: Bool
  private var before: [Int] = []

  package init(_ values: DenoisingValues) {
    threshold = ExitThreshold(
      high: Double(values["high"]), low: Double(values["low"]),
      curve: ExitThreshold.Curve(rawValue: values.whole("curve")) ?? .exponential,
      rate: Double(values["rate"]))
    steps = values.whole("steps")
    isStable = values.isOn("stable")
    weighs = values.isOn("survival")
  }

  package mutating func begin(_ round: DenoisingRound) -> BlockOpening {
    before = []
    return BlockOpening()
  }

  package mutating func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    let masked = block.masked
    let proposed = block.drafts.indices.map { Int(block.token(at: $0)) }
    defer { before = proposed }
    guard block.passes < steps else { return .done }
    let progress = steps > 1 ? Double(block.passes - 1) / Double(steps - 1) : 1
    let margins = masked.map { place in
      (
        value: Double(block.distributions[place].margin),
        weight: weighs ? survival(block, before: place) : 1
      )
    }
    let isUnchanged = !before.isEmpty && masked.allSatisfy { before[$0] == proposed[$0] }
    if threshold.exits(margins, progress: progress), !isStable || isUnchanged { return .done }
    // One ordinary step: an equal part of the rows for each pass that is left.
    let count = (masked.count + steps - block.passes) / (steps - block.passes + 1)
    return block.fixing(
      FixingRules.surest(max(1, count), of: masked, certainty: block.certainty))
  }

  private func survival(_ block: DenoisedBlock, before place: Int) -> Double {
    block.confidences[..<place].reduce(1) { $0 * Double(min(max($1, 0), 1)) }
  }
}

/// The margin that ends a block, by how far it has come from 0 to 1.
package struct ExitThreshold: Sendable, Equatable {
  package enum Curve: Int, Sendable, CaseIterable {
    case linear
    case cosine
    case exponential
    case thirds
  }

  package var high: Double
  package var low: Double
  package var curve: Curve
  package var rate: Double

  package init(high: Double, low: Double, curve: Curve, rate: Double) {
    (self.high, self.low, self.curve, self.rate) = (high, low, curve, rate)
  }

  package func callAsFunction(_ progress: Double) -> Double {
    switch curve {
    case .linear: high + (low - high) * progress
    case .cosine: low + (high - low) * (1 + cos(.pi * progress)) / 2
    case .exponential: low + (high - low) * exp(-rate * progress)
    case .thirds: progress < 1.0 / 3 ? 7.5 : progress < 2.0 / 3 ? 5 : 2.5
    }
  }

  /// Whether margins of masks, each with its weight, are large enough on average.
  package func exits(_ margins: [(value: Double, weight: Double)], progress: Double) -> Bool {
    let weight = margins.reduce(0) { $0 + $1.weight }
    guard weight > 0 else { return true }
    return margins.reduce(0) { $0 + $1.value * $1.weight } / weight >= self(progress)
  }
}
