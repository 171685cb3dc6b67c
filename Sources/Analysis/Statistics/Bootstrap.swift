import Files

/// Confidence intervals by resampling prompts (Efron 1979; the percentile interval).
///
/// Rounds of one generation resemble each other, so whole prompts are drawn, with replacement, and
/// never single rounds.
package struct Bootstrap: Sendable, Equatable {
  package var samples: Int
  /// The share of samples inside an interval.
  package var confidence: Double
  package var seed: UInt64

  package init(samples: Int = 2000, confidence: Double = 0.95, seed: UInt64 = 1) {
    precondition(samples >= 1 && confidence > 0 && confidence < 1)
    self.samples = samples
    self.confidence = confidence
    self.seed = seed
  }

  /// The interval of a ratio of sums, such as tokens over passes, over prompts.
  ///
  /// - Parameter terms: what each prompt adds to numerator and denominator.
  /// - Returns: `nil` with fewer than two prompts, which say nothing about their spread.
  package func interval(ofRatio terms: [(Double, Double)]) -> Interval? {
    interval(units: terms.count) { draw in
      var (numerator, denominator) = (0.0, 0.0)
      for index in draw {
        numerator += terms[index].0
        denominator += terms[index].1
      }
      return denominator > 0 ? numerator / denominator : nil
    }
  }

  /// The interval of any statistic of a sample of prompts.
  ///
  /// - Parameters:
  ///   - units: how many prompts there are.
  ///   - statistic: its value for a sample, given as indices; `nil` where it has none.
  /// - Returns: `nil` with fewer than two prompts, or when hardly a sample had a value.
  package func interval(units: Int, _ statistic: ([Int]) -> Double?) -> Interval? {
    intervals(units: units) { [statistic($0)] }.first.flatMap { $0 }
  }

  /// The intervals of several statistics of the same samples.
  ///
  /// - Parameter statistics: the values for a sample, always as many.
  package func intervals(units: Int, _ statistics: ([Int]) -> [Double?]) -> [Interval?] {
    guard units >= 2 else { return [] }
    var generator = SplitMix(seed: seed)
    var values: [[Double]] = []
    var draw = [Int](repeating: 0, count: units)
    for _ in 0..<samples {
      for place in draw.indices { draw[place] = Int.random(in: 0..<units, using: &generator) }
      for (index, value) in statistics(draw).enumerated() {
        while values.count <= index { values.append([]) }
        if let value { values[index].append(value) }
      }
    }
    return values.map { values in
      guard values.count * 2 > samples else { return nil }
      let sorted = values.sorted()
      let tail = (1 - confidence) / 2
      return Interval(low: Self.quantile(sorted, tail), high: Self.quantile(sorted, 1 - tail))
    }
  }

  /// The value below which a share of sorted values lies, by linear interpolation.
  package static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    let place = share * Double(sorted.count - 1)
    let low = Int(place)
    guard low + 1 < sorted.count else { return sorted[sorted.count - 1] }
    return sorted[low] + (place - Double(low)) * (sorted[low + 1] - sorted[low])
  }
}

package struct Interval: Sendable, Equatable, Codable {
  package var low: Double
  package var high: Double
}
