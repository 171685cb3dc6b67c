internal import Foundation

/// How rotary frequencies are stretched beyond the context that a model was first trained on.
public enum RopeScaling: Sendable, Equatable {
  /// Plain rotary embedding.
  case none
  /// Positions divided by `factor`.
  case linear(factor: Double)
  /// Llama 3: long wavelengths are divided by `factor`, short ones kept, those between blended.
  case llama3(
    factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContext: Int)

  /// The angle of one position step for each pair of a head, `[dimension / 2]`.
  ///
  /// As `transformers` computes it (`modeling_rope_utils.py`).
  public func frequencies(dimension: Int, theta: Double) -> [Double] {
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
