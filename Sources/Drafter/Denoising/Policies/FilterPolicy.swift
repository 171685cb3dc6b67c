import Files
import Foundation

/// Learns from verdicts how likely each draft is accepted, from what the pass says of all rows: a filter as in
/// Learn2PD (arXiv 2509.25188), whose labels cost nothing here. Its chances replace the drafter's own, so that
/// the width of a round follows from them; a first pass that is shown to a second one is what it is sure of.
package struct FilterPolicy: NamedPolicy {
  package static let name = "filter"
  package static let about = "a small network that learns each draft's chance (Learn2PD)"
  package static let settings = [
    DenoisingSetting(
      "threshold", 0.96, 0...2, "chance from which a draft is shown to a second pass"),
    DenoisingSetting("count", 1, 1...64, isWhole: true, "passes of a block"),
    DenoisingSetting(
      "width", 0, 0...1, isWhole: true, "1 verifies as many drafts as are expected to pay"),
  ]

  private let threshold: Float
  private let passes: Int
  private let choosesWidth: Bool
  package private(set) var network: AcceptanceFilter?
  private var seen: [Float] = []
  private var isSettled = false

  package init(_ values: DenoisingValues) {
    threshold = values["threshold"]
    passes = values.whole("count")
    choosesWidth = values.isOn("width")
  }

  package var readsCosts: Bool { choosesWidth }
  package var learns: Bool { true }
  package var fixesLeftRuns: Bool { true }

  package mutating func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    let filter = network ?? AcceptanceFilter(rows: block.capacity)
    network = filter
    if block.passes == 1 {
      seen = filter.inputs(block.distributions.map { ($0.probability, $0.margin) })
    }
    let chances = filter.chances(seen, count: block.drafts.count)
    if block.passes < passes {
      let run = FixingRules.leftRun(threshold, of: block.masked) { chances[$0] }
      if !run.isEmpty { return block.fixing(run) }
    }
    // A second pass was shown what the first one said; its own rows keep the drafter's word.
    let kept = block.passes == 1 ? chances : []
    return .finish(
      DenoisingEnd(
        width: choosesWidth ? Self.width(chances, round.costs) : nil, confidences: kept))
  }

  /// The number of drafts that brings the most tokens for what the round costs.
  package static func width(_ chances: [Float], _ costs: any RoundCosts) -> Int {
    var (survival, tokens) = (1.0, 1.0)
    var best = (width: 1, rate: 0.0)
    let pass = costs.drafting(chances.count)
    for (place, chance) in chances.enumerated() {
      survival *= Double(chance)
      tokens += survival
      let rate = tokens / (pass + costs.verifying(place + 2))
      if rate > best.rate { best = (place + 1, rate) }
    }
    return best.width
  }

  package mutating func observe(_ verdict: DenoisingVerdict) {
    guard !seen.isEmpty, !isSettled, verdict.block.passes == 1 else { return }
    network?.learn(
      seen, labels: verdict.block.drafts.indices.prefix(verdict.block.capacity).map(verdict.isRight)
    )
    seen = []
  }

  package mutating func settle() { isSettled = true }
}

/// A network of one hidden layer, from the probabilities and margins of all rows to each row's chance, trained
/// by descent on the cross-entropy of verdicts as they come, each seen again a few times.
package struct AcceptanceFilter: Sendable {
  package let rows: Int
  private var inner: [[Float]]  // [hidden][inputs + 1]
  private var outer: [[Float]]  // [rows][hidden + 1]
  private var past: [(inputs: [Float], labels: [Bool?])] = []
  private var random = SplitMix(seed: 1)

  private static let hidden = 16
  private static let rate: Float = 0.05
  private static let mostPast = 512
  private static let repeats = 4

  package init(rows: Int) {
    self.rows = rows
    var random = SplitMix(seed: 2)
    let inputs = 2 * rows
    func weights(_ count: Int, _ scale: Float) -> [Float] {
      (0..<count).map { _ in .random(in: -scale...scale, using: &random) } + [0]
    }
    inner = (0..<Self.hidden).map { _ in weights(inputs, 1 / Float(inputs).squareRoot()) }
    // It starts as the rows' own probabilities.
    outer = (0..<rows).map { _ in [Float](repeating: 0, count: Self.hidden + 1) }
  }

  /// What the network sees of rows: log-odds of probabilities, and margins, about 1 in size. Rows that aren't
  /// there are zeros.
  package func inputs(_ values: [(probability: Float, margin: Float)]) -> [Float] {
    var inputs = [Float](repeating: 0, count: 2 * rows)
    for (row, value) in values.prefix(rows).enumerated() {
      let probability = value.probability.isFinite ? value.probability : 0
      inputs[row] = ConfidenceHead.odds(of: probability) / 4
      inputs[rows + row] = value.margin.isNaN ? 0 : min(value.margin, 16) / 8
    }
    return inputs
  }

  /// Each row's chance to be accepted, all before it being right.
  package func chances(_ inputs: [Float], count: Int) -> [Float] {
    let hidden = activations(inputs)
    return (0..<count).map { row in row < rows ? chance(row, inputs, hidden) : 0 }
  }

  private func activations(_ inputs: [Float]) -> [Float] {
    inner.map { weights in max(0, Self.product(weights, inputs)) }
  }

  private func chance(_ row: Int, _ inputs: [Float], _ hidden: [Float]) -> Float {
    1 / (1 + exp(-(4 * inputs[row] + Self.product(outer[row], hidden))))
  }

  private static func product(_ weights: [Float], _ values: [Float]) -> Float {
    var sum = weights[values.count]
    for index in values.indices { sum += weights[index] * values[index] }
    return sum
  }

  /// Takes a verdict, and steps down on it and some earlier ones.
  ///
  /// - Parameter labels: whether each row was right, all before it being right; nil where that isn't known.
  package mutating func learn(_ inputs: [Float], labels: [Bool?]) {
    if past.count < Self.mostPast {
      past.append((inputs, labels))
    } else {
      past[Int.random(in: 0..<Self.mostPast, using: &random)] = (inputs, labels)
    }
    step(inputs, labels)
    for _ in 0..<Self.repeats {
      let one = past[Int.random(in: 0..<past.count, using: &random)]
      step(one.inputs, one.labels)
    }
  }

  private mutating func step(_ inputs: [Float], _ labels: [Bool?]) {
    let hidden = activations(inputs)
    var back = [Float](repeating: 0, count: Self.hidden)
    for (row, label) in labels.prefix(rows).enumerated() {
      guard let label else { continue }
      let slope = chance(row, inputs, hidden) - (label ? 1 : 0)
      for unit in 0..<Self.hidden {
        back[unit] += slope * outer[row][unit]
        outer[row][unit] -= Self.rate * slope * hidden[unit]
      }
      outer[row][Self.hidden] -= Self.rate * slope
    }
    for unit in 0..<Self.hidden where hidden[unit] > 0 && back[unit] != 0 {
      for index in inputs.indices { inner[unit][index] -= Self.rate * back[unit] * inputs[index] }
      inner[unit][inputs.count] -= Self.rate * back[unit]
    }
  }
}
