import Files

/// Random steps, which no output may depend on: for checks, not for speed.
///
/// With `nonsense` they name places, tokens and numbers that aren't there, too.
package struct NoisePolicy: NamedPolicy {
  package static let name = "noise"
  package static let about = "random steps, to check that no output depends on a policy"
  package static let settings = [
    DenoisingSetting(
      "nonsense", 0, 0...1, isWhole: true, "1 for places, tokens and numbers that aren't there too"),
    DenoisingSetting("seed", 0, 0...1_000_000, isWhole: true, "another number, other steps"),
  ]

  private let isNonsense: Bool
  private let seed: UInt64
  private var random = SplitMix(seed: 0)
  /// Tokens that passes found likely.
  private var likely: [Token] = [0]

  package init(_ values: DenoisingValues) {
    isNonsense = values.isOn("nonsense")
    seed = UInt64(values.whole("seed"))
  }

  package var sight: DenoisingSight { .logits }
  package var readsCosts: Bool { true }
  package var learns: Bool { true }

  package mutating func begin(_ round: DenoisingRound) -> BlockOpening {
    random = SplitMix(
      seed: SplitMix.mix(seed &+ round.seed) ^ UInt64(truncatingIfNeeded: round.position))
    let count = max(1, round.most)
    var opening = BlockOpening()
    opening.width = Bool.random(using: &random) ? place(count) : nil
    opening.presets = placed(count)
    opening.biases = biases(count)
    return opening
  }

  package mutating func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    likely = block.distributions.flatMap { $0.top.prefix(4).map(\.token) } + [block.anchor]
    let count = block.drafts.count
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return .done
    case 1: return .restart
    case 2:
      return .finish(
        DenoisingEnd(
          width: place(count), chain: place(3), confidences: block.drafts.map { _ in number() }))
    default:
      var plan = DenoisingPlan(fix: placed(count))
      plan.remask = some { $0.place(count) }
      plan.insert = some { .init(place: $0.place(count), count: $0.place(4)) }
      plan.soften = some { policy in
        SoftMask(
          place: policy.place(count), mixture: policy.some { ($0.token(), $0.number()) })
      }
      plan.extend = isNonsense ? .random(in: -3...40, using: &random) : place(8)
      plan.biases = biases(count)
      return .pass(plan)
    }
  }

  // MARK: Whatever there is

  private mutating func place(_ count: Int) -> Int {
    .random(in: isNonsense ? -2...count + 2 : 0...max(0, count - 1), using: &random)
  }

  private mutating func token() -> Token {
    let known = likely.randomElement(using: &random) ?? 0
    guard isNonsense else { return known }
    // A small model's mask and the ids behind its vocabulary are among the small numbers.
    let odd: [Token] = [.min, -1, .random(in: 0...64, using: &random), 1_000_000, .max]
    return Bool.random(using: &random) ? known : odd.randomElement(using: &random) ?? known
  }

  private mutating func number() -> Float {
    let odd: [Float] = [.nan, .infinity, -.infinity, -3, 0, 0.5, 1e30]
    return isNonsense
      ? odd.randomElement(using: &random) ?? 0 : .random(in: 0...1, using: &random)
  }

  private mutating func some<Value>(_ value: (inout Self) -> Value) -> [Value] {
    (0..<Int.random(in: 0...3, using: &random)).map { _ in value(&self) }
  }

  private mutating func placed(_ count: Int) -> [PlacedToken] {
    some { PlacedToken($0.place(count), $0.token()) }
  }

  private mutating func biases(_ count: Int) -> [LogitBias] {
    some { LogitBias(place: $0.place(count), token: $0.token(), value: $0.number()) }
  }
}
