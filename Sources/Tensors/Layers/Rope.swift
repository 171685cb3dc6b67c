/// How the values of a head are rotated by their position: pairs of the first `dimension` values, the
/// others staying as they are.
package struct Rope: Sendable, Hashable {
  /// Values of a head that are rotated, from the first on; even, 0 for none.
  package var dimension: Int
  /// Base of the frequencies.
  package var theta: Double
  /// How the frequencies are stretched.
  package var scaling: RopeScaling
  /// Which values are rotated together.
  package var pairs = RotaryPairs.halves

  package init(dimension: Int, theta: Double, scaling: RopeScaling = .none) {
    self.dimension = dimension
    self.theta = theta
    self.scaling = scaling
  }

  /// The angle of one position step for each pair, `[dimension / 2]`.
  package var frequencies: [Double] { scaling.frequencies(dimension: dimension, theta: theta) }
}

/// Which values of a head are rotated together.
package enum RotaryPairs: Sendable, Hashable {
  /// `i` and `i + dimension / 2`.
  case halves
  /// `2 · i` and `2 · i + 1`.
  case neighbours
}
