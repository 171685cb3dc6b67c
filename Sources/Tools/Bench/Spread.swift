/// The least and the greatest of some measurements.
package struct Spread: Codable, Sendable, Equatable {
  package var least: Double
  package var greatest: Double

  /// - Parameter values: At least one.
  package init(_ values: [Double]) {
    least = values.min() ?? 0
    greatest = values.max() ?? 0
  }

  /// `1.02–1.31`
  package func text(_ decimals: Int) -> String {
    "\(Figures.fixed(least, decimals))–\(Figures.fixed(greatest, decimals))"
  }
}
