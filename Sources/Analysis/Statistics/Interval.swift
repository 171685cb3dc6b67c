/// A confidence interval.
package struct Interval: Sendable, Equatable, Codable {
  /// The lower end.
  package var low: Double
  /// The upper end.
  package var high: Double

  /// Makes an interval.
  package init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }
}
