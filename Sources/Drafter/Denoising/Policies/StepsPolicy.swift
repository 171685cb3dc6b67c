import Files

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
  /// What self-verification would have made of the blocks so far that took a pass a draft.
  package private(set) var verification = SelfVerification()

  package init(_ values: DenoisingValues) {
    passes = values.whole("count")
    isLeft = values.isOn("left")
    shift = Double(values["shift"])
  }

  package var fixesLeftRuns: Bool { isLeft }

  package mutating func begin(_ round: DenoisingRound) -> BlockOpening {
    verification.begin()
    return BlockOpening()
  }

  package mutating func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    guard block.passes < passes else { return .done }
    let rows = block.drafts.count
    let counts = FixingRules.shifted(shift, rows: rows, passes: min(passes, rows))
    guard block.passes <= counts.count else { return .done }
    let (count, masked) = (counts[block.passes - 1], block.masked)
    let order =
      isLeft
      ? masked : FixingRules.surest(masked.count, of: masked, certainty: block.certainty)
    if passes >= rows {
      verification.add(order.map { PlacedToken($0, block.proposals[$0]) })
    }
    return block.fixing(Array(order.prefix(count)))
  }
}

/// Counts the passes that FreeDave would take for the drafts of step-by-step decoding: behind a pass it guesses
/// that the next steps fix what this pass proposes, in the order in which it would, runs the passes behind all
/// of these guesses together, and goes on behind the last guess that was right.
package struct SelfVerification: Sendable, Equatable {
  /// Blocks that were counted.
  package private(set) var blocks = 0
  /// Passes that these would take, several of which run over many branches at once.
  package private(set) var calls = 0
  /// What each pass of the block so far would fix, the first draft first.
  private var orders: [[PlacedToken]] = []

  /// Guesses that are tried together, as published.
  package static let mostGuesses = 8

  package init() {}

  package mutating func begin() { orders.removeAll(keepingCapacity: true) }

  /// Takes what is left of a block behind a pass, in the order in which steps would fix it.
  package mutating func add(_ order: [PlacedToken]) {
    orders.append(order)
    guard order.count == 1 else { return }
    // The block's last draft.
    blocks += 1
    calls += Self.calls(orders)
  }

  /// The passes that a block takes.
  ///
  /// - Parameter orders: of each pass of step-by-step decoding, one draft less than of the one before.
  package static func calls(_ orders: [[PlacedToken]]) -> Int {
    guard !orders.isEmpty else { return 0 }
    let fixed = orders.compactMap(\.first)
    var (state, calls) = (0, 1)
    while state < orders.count - 1 {
      var right = 1
      while right < mostGuesses, state + right < orders.count - 1,
        orders[state][right] == fixed[state + right]
      {
        right += 1
      }
      state += right
      calls += 1
    }
    return calls
  }
}
