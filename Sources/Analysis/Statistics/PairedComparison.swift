import Files
import Foundation

/// Whether one configuration is faster than another on the same prompts, or only looked so.
///
/// Prompts differ far more than configurations do, so each prompt is compared with itself: the
/// statistic is the mean of `log(rate of the second / rate of the first)`. Were both the same, the sign
/// of each prompt's logarithm would be a coin's; the p-value is the share of sign patterns whose mean
/// is as far from 0 as the one seen (Fisher's randomisation test). All patterns are tried up to
/// 16 prompts, and ``patterns`` random ones above.
package struct PairedComparison: Sendable, Equatable, Codable {
  /// Prompts that both ran.
  package var prompts: Int
  /// The second's rate over the first's, over all prompts together.
  package var ratio: Double
  /// Its confidence interval; `nil` with fewer than two prompts.
  package var interval: Interval?
  package var pValue: Double
  /// Prompts on which the second did better.
  package var wins: Int

  /// Random sign patterns that are tried when there are too many to try all.
  package static let patterns = 20_000
  private static let exactLimit = 16

  /// Compares two configurations.
  ///
  /// - Parameters:
  ///   - first: each prompt's amount (tokens) and cost (seconds, or passes) under the first.
  ///   - second: the same prompts' under the second.
  package init(
    _ first: [(amount: Double, cost: Double)], _ second: [(amount: Double, cost: Double)],
    bootstrap: Bootstrap = Bootstrap()
  ) {
    let pairs = zip(first, second).filter {
      $0.amount > 0 && $0.cost > 0 && $1.amount > 0 && $1.cost > 0
    }
    prompts = pairs.count
    func rates(_ indices: some Sequence<Int>) -> Double? {
      var sums = (0.0, 0.0, 0.0, 0.0)
      for index in indices {
        sums.0 += pairs[index].0.amount
        sums.1 += pairs[index].0.cost
        sums.2 += pairs[index].1.amount
        sums.3 += pairs[index].1.cost
      }
      return sums.0 > 0 ? (sums.2 / sums.3) / (sums.0 / sums.1) : nil
    }
    ratio = rates(pairs.indices) ?? 1
    interval = bootstrap.interval(units: pairs.count) { rates($0) }
    let logarithms = pairs.map {
      log(($1.amount / $1.cost) / ($0.amount / $0.cost))
    }
    wins = logarithms.count { $0 > 0 }
    pValue = Self.signTest(logarithms, seed: bootstrap.seed)
  }

  /// The two-sided p-value of a mean of 0 under random signs.
  static func signTest(_ values: [Double], seed: UInt64) -> Double {
    guard !values.isEmpty else { return 1 }
    let seen = abs(values.reduce(0, +))
    // Rounding must not turn a pattern that is as extreme into one that is less.
    let bound = seen - 1e-12 * values.reduce(0) { $0 + abs($1) }
    if values.count <= exactLimit {
      let patterns = 1 << values.count
      let extreme = (0..<patterns).count { pattern in
        abs(sum(values) { pattern >> $0 & 1 == 1 }) >= bound
      }
      return Double(extreme) / Double(patterns)
    }
    var generator = SplitMix(seed: seed)
    var extreme = 1  // the pattern that was seen
    for _ in 0..<patterns {
      var bits: UInt64 = 0
      let total = sum(values) { index in
        if index % 64 == 0 { bits = generator.next() }
        return bits >> UInt64(index % 64) & 1 == 1
      }
      if abs(total) >= bound { extreme += 1 }
    }
    return Double(extreme) / Double(patterns + 1)
  }

  private static func sum(_ values: [Double], _ isNegative: (Int) -> Bool) -> Double {
    var total = 0.0
    for index in values.indices { total += isNegative(index) ? -values[index] : values[index] }
    return total
  }

  /// Corrects p-values of several comparisons made at once (Holm 1979), in their order.
  package static func holm(_ values: [Double]) -> [Double] {
    var corrected = values
    var least = 0.0
    for (rank, index) in values.indices.sorted(by: { values[$0] < values[$1] }).enumerated() {
      least = max(least, min(1, values[index] * Double(values.count - rank)))
      corrected[index] = least
    }
    return corrected
  }
}
