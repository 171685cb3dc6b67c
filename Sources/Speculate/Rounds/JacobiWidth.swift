/// Chooses how many rows the guesses of a Jacobi decoder get, for the highest measured rate.
///
/// Wider passes bring more tokens, by how much depends on the model and the text; what they cost is
/// known. A width is kept for a few rounds, because guesses carry over from one to the next. Its
/// neighbours are tried when a small share of all time, saved up, pays for that. A width of 1 is
/// plain decoding, but for what is likely enough to pay for its rows in any round.
package struct JacobiWidth: Sendable, Equatable {
  /// What passes cost, corrected by every round. There are no draft passes.
  package private(set) var cost: CostModel
  /// The widths to choose from, rising; the first is 1.
  let widths: [Int]
  /// Tokens in the time of a plain step at each width, `nil` where it was never tried.
  private(set) var speeds: [Double?]
  private var purse = ProbePurse(share: 0.02, interval: 0)
  private var current: Int
  private var roundsLeft = 0
  private var seenTokens = 0
  private var seenSteps = 0.0
  private var seenRounds = 0

  /// Rounds for which a width is kept.
  private static let stay = 12
  /// What a row more is hoped to add to the tokens of a pass until it was tried.
  private static let hope = 0.04
  /// How wide a first pass may be: times the time of one row.
  private static let nearlyFree = 1.25

  /// Starts from measured pass times, at the widest passes that are nearly free.
  ///
  /// - Parameter maximumRows: rows of the widest pass.
  package init(_ times: PassTimes, maximumRows: Int) {
    cost = CostModel(verify: times, draft: times)
    widths = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].filter { $0 <= max(1, maximumRows) }
    speeds = [Double?](repeating: nil, count: widths.count)
    speeds[0] = 1
    nearlyFreeRows = widths.last { times($0) <= Self.nearlyFree * times(1) } ?? 1
    current = max(widths.firstIndex(of: nearlyFreeRows) ?? 0, min(1, widths.count - 1))
  }

  /// The widest pass that was measured to cost hardly more than one row.
  let nearlyFreeRows: Int

  /// The rows that the next pass gives to the guess, the anchor's included.
  package mutating func rows() -> Int {
    if roundsLeft == 0 {
      choose()
      roundsLeft = Self.stay
    }
    roundsLeft -= 1
    return widths[current]
  }

  /// Learns from one round.
  ///
  /// - Parameters:
  ///   - rows: of the pass.
  ///   - emitted: tokens committed.
  ///   - seconds: of the round.
  package mutating func record(rows: Int, emitted: Int, seconds: Double) {
    cost.verify.record(width: rows, seconds: seconds)
    purse.earn(seconds, cap: Double(4 * Self.stay) * cost.verify(1))
    seenTokens += emitted
    seenSteps += steps(rows)
    seenRounds += 1
    guard seenRounds == Self.stay else { return }
    let speed = Double(seenTokens) / seenSteps
    speeds[current] = speeds[current].map { 0.7 * $0 + 0.3 * speed } ?? speed
    (seenTokens, seenSteps, seenRounds) = (0, 0, 0)
  }

  private mutating func choose() {
    // The first choice is tried before anything is known.
    guard speeds[current] != nil else { return }
    let best = widths.indices.filter { speeds[$0] != nil }.max { speed($0) < speed($1) } ?? 0
    current = best
    // The neighbour with the higher hope is probed, when its expected loss is paid for.
    let neighbours = [best - 1, best + 1].filter(widths.indices.contains)
    guard let probe = neighbours.max(by: { speed($0) < speed($1) }) else { return }
    let rounds = Double(Self.stay) * cost.verify(widths[probe])
    if purse.pays(rounds * max(0, 1 - speed(probe) / speed(best))) { current = probe }
  }

  /// What a pass costs in plain steps.
  private func steps(_ rows: Int) -> Double { cost.verify(rows) / cost.verify(1) }

  /// Tokens in the time of a plain step at a width, as far as known.
  private func speed(_ index: Int) -> Double {
    if let known = speeds[index] { return known }
    // What the next narrower one that was tried brings in a pass, and hope.
    let below = speeds[..<index].lastIndex { $0 != nil } ?? 0
    let tokens = (speeds[below] ?? 1) * steps(widths[below])
    return (tokens + Self.hope * Double(widths[index] - widths[below])) / steps(widths[index])
  }
}

/// What a Jacobi decoder knows about speed: what passes cost, what widths bring, and how likely
/// guesses are right. It decides speed, never the output.
package struct JacobiPolicy: Sendable, Equatable {
  /// How many rows passes have.
  var width: JacobiWidth
  /// How likely guesses and candidates are right.
  var chances = DraftChances()
  /// Tokens of a block, unless the options say otherwise.
  let block: Int

  /// Starts from measured pass times.
  ///
  /// - Parameter maximumRows: rows of the widest pass.
  package init(_ times: PassTimes, maximumRows: Int) {
    width = JacobiWidth(times, maximumRows: maximumRows)
    // Twice what is nearly free: a block is iterated on ahead of the tokens it commits.
    block = min(max(2 * width.nearlyFreeRows, 8), 32)
  }
}
