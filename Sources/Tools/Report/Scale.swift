import Foundation

/// An axis: numbers to places, and the numbers that are written beside it.
struct Scale {
  let low: Double
  let high: Double
  /// Where `low` and `high` lie in the drawing.
  let start: Double
  let end: Double
  let isLogarithmic: Bool
  let ticks: [Double]

  /// A linear axis over a range that is widened to whole ticks.
  init(_ range: ClosedRange<Double>, start: Double, end: Double, ticks wanted: Int = 5) {
    let step = Self.step(max(range.upperBound - range.lowerBound, 1e-9) / Double(wanted))
    low = (range.lowerBound / step + 1e-9).rounded(.down) * step
    high = max((range.upperBound / step - 1e-9).rounded(.up) * step, low + step)
    self.start = start
    self.end = end
    isLogarithmic = false
    let count = Int(((high - low) / step).rounded())
    let first = low
    ticks = (0...count).map { first + Double($0) * step }
  }

  /// A logarithmic axis from 1 to a power of ten, for counts; 0 lies at its start.
  init(countsUpTo greatest: Int, start: Double, end: Double) {
    low = 0.5
    high = pow(10, max(1, ceil(log10(Double(max(1, greatest)) * 1.05))))
    self.start = start
    self.end = end
    isLogarithmic = true
    let decades = Int(log10(high).rounded())
    ticks = (0...decades).map { pow(10, Double($0)) }
  }

  /// A linear axis over whole numbers that ends exactly at the first and the last.
  init(places: ClosedRange<Int>, start: Double, end: Double) {
    low = Double(places.lowerBound)
    high = Double(max(places.upperBound, places.lowerBound + 1))
    self.start = start
    self.end = end
    isLogarithmic = false
    ticks = places.map(Double.init)
  }

  func callAsFunction(_ value: Double) -> Double {
    let share =
      isLogarithmic ? log(max(value, low) / low) / log(high / low) : (value - low) / (high - low)
    return start + share * (end - start)
  }

  /// 1, 2 or 5 times a power of ten, at least as large as asked for.
  private static func step(_ least: Double) -> Double {
    let decade = pow(10, floor(log10(least)))
    return [1, 2, 5, 10].map { $0 * decade }.first { $0 >= least * (1 - 1e-9) } ?? 10 * decade
  }

  func label(_ tick: Double) -> String {
    if isLogarithmic {
      return tick < 1000
        ? "\(Int(tick))" : tick < 1e6 ? "\(Int(tick / 1e3))k" : "\(Int(tick / 1e6))M"
    }
    let step = ticks.count > 1 ? ticks[1] - ticks[0] : 1
    return Figures.fixed(tick, step >= 1 ? 0 : step >= 0.1 ? 1 : 2)
  }
}
