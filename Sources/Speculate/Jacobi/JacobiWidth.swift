/// Chooses how many rows the passes of a Jacobi decoder have, for the highest measured rate.
///
/// Wider passes bring more tokens, by how much depends on the model and the text; what they cost is
/// known. A width is kept for a few rounds, because guesses carry over from one to the next. Its
/// neighbours are tried when a small share of all time, saved up, pays for that. A width of 1 is
/// plain decoding.
public struct JacobiWidth: Sendable, Equatable {
  /// Pass times, corrected by every round.
  public private(set) var times: PassTimes
  /// The widths to choose from, rising; the first is 1.
  let widths: [Int]
  /// Mean tokens of a pass at each width, `nil` where it was never tried.
  private(set) var tokens: [Double?]
  private var purse = ProbePurse(share: 0.02, interval: 0)
  private var current: Int
  private var roundsLeft = 0
  private var seenTokens = 0
  private var seenRounds = 0

  /// Rounds for which a width is kept.
  private static let stay = 12
  /// What the tokens of a wider pass are taken for until it was tried: those of the one before and
  /// this share of the difference in rows.
  private static let hope = 0.04
  /// How wide a first pass may be: times the time of one row.
  private static let nearlyFree = 1.25

  /// Starts from measured pass times, at the widest passes that are nearly free.
  ///
  /// - Parameter maximumRows: rows of the widest pass.
  public init(_ times: PassTimes, maximumRows: Int) {
    self.times = times
    widths = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].filter { $0 <= max(1, maximumRows) }
    tokens = [Double?](repeating: nil, count: widths.count)
    tokens[0] = 1
    current = widths.lastIndex { times($0) <= Self.nearlyFree * times(1) } ?? 0
    if current == 0, widths.count > 1 { current = 1 }
  }

  /// The widest pass that costs hardly more than one row.
  var nearlyFreeRows: Int {
    widths.last { times($0) <= Self.nearlyFree * times(1) } ?? 1
  }

  /// The rows of the next pass.
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
    times.record(width: rows, seconds: seconds)
    purse.earn(seconds, cap: Double(4 * Self.stay) * times(1))
    seenTokens += emitted
    seenRounds += 1
    guard seenRounds == Self.stay else { return }
    let mean = Double(seenTokens) / Double(seenRounds)
    // Plain steps bring one token each, whatever blocks ended in them.
    if current > 0 { tokens[current] = tokens[current].map { 0.7 * $0 + 0.3 * mean } ?? mean }
    (seenTokens, seenRounds) = (0, 0)
  }

  private mutating func choose() {
    let best = widths.indices.filter { tokens[$0] != nil }.max { rate($0) < rate($1) } ?? 0
    // The first choice is tried before anything is known.
    if tokens[current] == nil { return }
    current = best
    // The neighbour with the higher hope is probed, when its expected loss is paid for.
    let neighbours = [best - 1, best + 1].filter { widths.indices.contains($0) && $0 > 0 }
    guard let probe = neighbours.max(by: { rate($0) < rate($1) }) else { return }
    let loss =
      Double(Self.stay) * times(widths[probe]) * max(0, 1 - rate(probe) / max(rate(best), 1e-12))
    if purse.pays(loss) { current = probe }
  }

  /// Tokens per second at a width, as far as known.
  private func rate(_ index: Int) -> Double { expected(index) / times(widths[index]) }

  private func expected(_ index: Int) -> Double {
    if let known = tokens[index] { return known }
    let below = tokens[..<index].lastIndex { $0 != nil } ?? 0
    let hoped = (tokens[below] ?? 1) + Self.hope * Double(widths[index] - widths[below])
    let above = tokens[index...].compactMap { $0 }.first
    return above.map { min($0, hoped) } ?? hoped
  }
}
