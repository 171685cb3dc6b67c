/// The least and the greatest of some measurements.
struct Spread: Codable {
  var least: Double
  var greatest: Double

  /// - Parameter values: At least one.
  init(_ values: [Double]) {
    least = values.min() ?? 0
    greatest = values.max() ?? 0
  }

  /// `1.02–1.31`
  func text(_ decimals: Int) -> String {
    "\(Figures.fixed(least, decimals))–\(Figures.fixed(greatest, decimals))"
  }
}
