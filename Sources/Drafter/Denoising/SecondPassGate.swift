import Files

/// Says whether a second pass is expected to pay, from what is known after the first.
///
/// A second pass makes rows behind the drafts that it is shown as good as rows behind known text, at best: from
/// a run of m drafts that stand with chance `a_m`, row `j` is right with `a_m · κ^(j − m)` instead of `a_j`.
/// That gain is held against `τ · c_d / R`, the tokens that a round brings in the time of a pass.
package struct SecondPassGate: Sendable, Equatable {
  /// The acceptance of a row behind a second pass, by how many drafts that pass was shown: running means.
  private var kappa: [Mean] = []
  private var tau = Mean(4, weight: 8)
  private var isSettled = false

  /// Blocks that take a second pass without being asked, so that what it brings stays known.
  private static let explored: UInt64 = 50

  package init() {}

  /// Whether to run a second pass.
  ///
  /// - Parameters:
  ///   - chances: of each draft to be accepted, all before it being right: [drafts].
  ///   - shown: drafts from the first on that the pass is shown.
  package func pays(chances: [Double], shown: Int, _ round: DenoisingRound) -> Bool {
    let key = UInt64(truncatingIfNeeded: round.position) &+ round.seed &* 0x9E37_79B9_7F4A_7C15
    if !isSettled, SplitMix.mix(key) % Self.explored == 0 { return true }
    return gain(chances: chances, shown: shown) > needed(drafts: chances.count, round.costs)
  }

  /// The most tokens that a second pass could bring.
  package func gain(chances: [Double], shown: Int) -> Double {
    let kappa = kappa(shown)
    var (survival, ideal, gain) = (1.0, 1.0, 0.0)
    for (place, chance) in chances.enumerated() {
      survival *= chance
      ideal = place < shown ? survival : ideal * kappa
      gain += max(0, ideal - survival)
    }
    return gain
  }

  /// The tokens that it must bring.
  package func needed(drafts: Int, _ costs: any RoundCosts) -> Double {
    let pass = costs.drafting(drafts)
    return tau.value * pass / (pass + costs.verifying(drafts + 1))
  }

  private func kappa(_ shown: Int) -> Double {
    kappa.indices.contains(shown) ? kappa[shown].value : 0.85
  }

  package mutating func settle() { isSettled = true }

  package mutating func learn(_ verdict: DenoisingVerdict) {
    guard !isSettled else { return }
    tau.add(Double(1 + verdict.verified))
    guard verdict.block.passes == 2 else { return }
    let shown = verdict.block.fixedAfter.prefix { $0 == 1 }.count
    while kappa.count <= shown { kappa.append(Mean(0.85, weight: 8)) }
    for place in shown..<max(shown, verdict.block.drafts.count) {
      guard let isRight = verdict.isRight(place) else { return }
      kappa[shown].add(isRight ? 1 : 0)
    }
  }
}

/// A mean of what was seen, late values counting more, that starts from a guess.
package struct Mean: Sendable, Equatable {
  package private(set) var value: Double
  private var weight: Double

  private static let mostWeight = 200.0

  package init(_ value: Double, weight: Double) {
    self.value = value
    self.weight = weight
  }

  package mutating func add(_ seen: Double) {
    weight = min(weight + 1, Self.mostWeight)
    value += (seen - value) / weight
  }
}

/// A policy with fewer passes than it wants.
package struct LimitedPolicy: DenoisingPolicy {
  private var base: any DenoisingPolicy
  private let passes: Int
  private var gate: SecondPassGate?

  /// Limits a policy.
  ///
  /// - Parameters:
  ///   - passes: of a block at most; 0 for as many as it wants.
  ///   - gate: says whether a second pass pays.
  package init(_ base: any DenoisingPolicy, passes: Int, gate: SecondPassGate? = nil) {
    self.base = base
    self.passes = passes
    self.gate = gate
  }

  package var sight: DenoisingSight { base.sight }
  package var readsCosts: Bool { base.readsCosts || gate != nil }
  package var learns: Bool { base.learns || gate != nil }
  package var needs: Set<DenoisingNeed> { base.needs }
  // The gate looks at how likely the drafts are that were chosen.
  package var fixesLeftRuns: Bool { base.fixesLeftRuns && gate == nil }

  package mutating func forgetText() { base.forgetText() }

  package mutating func begin(_ round: DenoisingRound) -> BlockOpening { base.begin(round) }

  package mutating func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    if passes > 0, block.passes >= passes {
      // What the policy has to say of the end still counts.
      guard case .finish(let end) = base.next(block, round) else { return .done }
      return .finish(end)
    }
    let step = base.next(block, round)
    guard case .pass(let plan) = step, let gate, block.passes == 1, plan.extend == 0 else {
      return step
    }
    let fixed = Set(plan.fix.map(\.place))
    let shown = block.drafts.indices.prefix { !block.isMask($0) || fixed.contains($0) }.count
    let chances = block.confidences.map { Double(min(max($0, 0), 1)) }
    return gate.pays(chances: chances, shown: shown, round) ? step : .done
  }

  package mutating func observe(_ verdict: DenoisingVerdict) {
    gate?.learn(verdict)
    if base.learns { base.observe(verdict) }
  }

  package mutating func settle() {
    gate?.settle()
    base.settle()
  }
}
