import Foundation

/// Pearson's test of observed counts against expected probabilities.
enum ChiSquare {
  /// The statistic of counts whose expected probabilities are given; cells expected below 5 times
  /// are pooled.
  static func statistic(_ counts: [Int], _ probabilities: [Double]) -> (value: Double, freedom: Int)
  {
    let total = Double(counts.reduce(0, +))
    var value = 0.0
    var cells = 0
    var restCount = 0.0
    var restExpected = 0.0
    for (count, probability) in zip(counts, probabilities) {
      let expected = probability * total
      if expected < 5 {
        restCount += Double(count)
        restExpected += expected
      } else {
        value += (Double(count) - expected) * (Double(count) - expected) / expected
        cells += 1
      }
    }
    if restExpected > 0 {
      value += (restCount - restExpected) * (restCount - restExpected) / restExpected
      cells += 1
    }
    return (value, cells - 1)
  }

  /// The value that a chi-square variable exceeds with probability about 1e-5 (Wilson–Hilferty).
  static func critical(_ freedom: Int) -> Double {
    let n = Double(freedom)
    let z = 4.265
    return n * pow(1 - 2 / (9 * n) + z * (2 / (9 * n)).squareRoot(), 3)
  }
}
