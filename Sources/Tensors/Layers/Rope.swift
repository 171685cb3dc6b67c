internal import Foundation

/// How the values of a head are rotated by their position: pairs `(i, i + dimension / 2)` of the first
/// `dimension` values, the others staying as they are.
package struct Rope: Sendable, Hashable {
  /// Values of a head that are rotated, from the first on; even.
  package var dimension: Int
  /// Base of the frequencies.
  package var theta: Double
  /// How the frequencies are stretched.
  package var scaling: RopeScaling

  package init(dimension: Int, theta: Double, scaling: RopeScaling = .none) {
    self.dimension = dimension
    self.theta = theta
    self.scaling = scaling
  }

  /// The angle of one position step for each pair, `[dimension / 2]`.
  package var frequencies: [Double] { scaling.frequencies(dimension: dimension, theta: theta) }
}

/// How rotary frequencies are stretched beyond the context that a model was first trained on.
package enum RopeScaling: Sendable, Hashable {
  /// Plain rotary embedding.
  case none
  /// Positions divided by `factor`.
  case linear(factor: Double)
  /// Llama 3: long wavelengths are divided by `factor`, short ones kept, those between blended.
  case llama3(
    factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContext: Int)

  /// The angle of one position step for each pair of rotated values, `[dimension / 2]`.
  ///
  /// As `transformers` computes it (`modeling_rope_utils.py`).
  package func frequencies(dimension: Int, theta: Double) -> [Double] {
    (0..<dimension / 2).map { pair in
      let frequency = pow(theta, -2 * Double(pair) / Double(dimension))
      switch self {
      case .none: return frequency
      case .linear(let factor): return frequency / factor
      case .llama3(let factor, let low, let high, let originalContext):
        let wavelength = 2 * Double.pi / frequency
        let context = Double(originalContext)
        if wavelength < context / high { return frequency }
        if wavelength > context / low { return frequency / factor }
        let blend = (context / wavelength - low) / (high - low)
        return (1 - blend) * frequency / factor + blend * frequency
      }
    }
  }
}
