internal import Foundation

/// How rotary frequencies are stretched beyond the context that a model was first trained on.
///
/// All as `transformers` computes it (`modeling_rope_utils.py`).
package enum RopeScaling: Sendable, Hashable {
  /// Plain rotary embedding.
  case none
  /// Positions divided by `factor`.
  case linear(factor: Double)
  /// NTK scaling by the length of a text beyond the model's context; as a context is never exceeded here,
  /// plain rotary embedding.
  case dynamic(factor: Double)
  /// Llama 3: long wavelengths are divided by `factor`, short ones kept, those between blended.
  case llama3(
    factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContext: Int)
  /// YaRN: as Llama 3, by the turns that a pair makes within the original context.
  case yarn(YarnScaling)
  /// LongRoPE: a divisor for every pair.
  case longrope(LongRopeScaling)

  /// The angle of one position step for each pair of rotated values, `[dimension / 2]`.
  package func frequencies(dimension: Int, theta: Double) -> [Double] {
    let plain = (0..<dimension / 2).map { pow(theta, -2 * Double($0) / Double(dimension)) }
    switch self {
    case .none, .dynamic: return plain
    case .linear(let factor): return plain.map { $0 / factor }
    case .llama3(let factor, let low, let high, let originalContext):
      let context = Double(originalContext)
      return plain.map { frequency in
        let wavelength = 2 * Double.pi / frequency
        if wavelength < context / high { return frequency }
        if wavelength > context / low { return frequency / factor }
        let blend = (context / wavelength - low) / (high - low)
        return (1 - blend) * frequency / factor + blend * frequency
      }
    case .yarn(let yarn): return yarn.stretched(plain, theta: theta)
    case .longrope(let long):
      // A wrong number of divisors is refused when a configuration is checked.
      return zip(plain, long.factors).map { $0 / $1 }
    }
  }

  /// What cosines and sines are multiplied by.
  package var magnitude: Double {
    switch self {
    case .none, .linear, .dynamic, .llama3: 1
    case .yarn(let yarn): yarn.magnitude
    case .longrope(let long): long.magnitude
    }
  }

  /// The most positions of a text that is rotated as this one says; nil if all are.
  package var limit: Int? {
    if case .longrope(let long) = self, !long.isLong, !long.isUniform {
      long.originalContext
    } else {
      nil
    }
  }

  /// The same for longer texts.
  package var forLongTexts: RopeScaling {
    guard case .longrope(var long) = self else { return self }
    long.isLong = true
    return .longrope(long)
  }

  /// What of the settings is out of range, in the names of `config.json`; nil if nothing is.
  ///
  /// - Parameter pairs: How many pairs of values are rotated.
  package func complaint(pairs: Int) -> String? {
    func outside(_ name: String, _ value: Double, _ range: ClosedRange<Double>) -> String? {
      range.contains(value)
        ? nil : "\(name) is \(value), but must be from \(range.lowerBound) to \(range.upperBound)"
    }
    func outside(_ name: String, _ value: Int) -> String? {
      let range = 1...1 << 30
      return range.contains(value)
        ? nil : "\(name) is \(value), but must be from \(range.lowerBound) to \(range.upperBound)"
    }
    switch self {
    case .none: return nil
    case .linear(let factor), .dynamic(let factor): return outside("factor", factor, 1...1e6)
    case .llama3(let factor, let low, let high, let original):
      return outside("factor", factor, 1...1e6)
        ?? outside("low_freq_factor", low, 1e-6...1e6)
        ?? outside("high_freq_factor", high, 1e-6...1e6)
        ?? outside("original_max_position_embeddings", original)
        ?? (low < high
          ? nil : "low_freq_factor is \(low), but must be below high_freq_factor, \(high)")
    case .yarn(let yarn):
      return outside("factor", yarn.factor, 1...1e6)
        ?? outside("beta_fast", yarn.betaFast, 1e-6...1e6)
        ?? outside("beta_slow", yarn.betaSlow, 1e-6...1e6)
        ?? outside("attention_factor", yarn.magnitude, 1e-6...1e6)
        ?? outside("original_max_position_embeddings", yarn.originalContext)
    case .longrope(let long):
      for (name, factors) in [
        ("short_factor", long.shortFactors), ("long_factor", long.longFactors),
      ] {
        guard factors.count == pairs else {
          return "\(name) has \(factors.count) values, but \(pairs) are needed, one for each two "
            + "values that are rotated"
        }
        for factor in factors { if let found = outside(name, factor, 1e-6...1e6) { return found } }
      }
      return outside("attention_factor", long.magnitude, 1e-6...1e6)
        ?? outside("original_max_position_embeddings", long.originalContext)
    }
  }
}

/// Frequencies of many turns within the original context are kept, those of few divided by `factor`, those
/// between blended.
package struct YarnScaling: Sendable, Hashable {
  package var factor: Double
  package var originalContext: Int
  /// The turns from which on a frequency is kept.
  package var betaFast = 32.0
  /// The turns up to which a frequency is divided.
  package var betaSlow = 1.0
  /// What cosines and sines are multiplied by.
  package var magnitude: Double
  /// Whether the bounds of the blend are whole numbers of pairs.
  package var truncates = true

  /// Makes a scaling.
  ///
  /// - Parameters:
  ///   - magnitude: Nil for 0.1 · ln(factor) + 1.
  package init(factor: Double, originalContext: Int, magnitude: Double? = nil) {
    self.factor = factor
    self.originalContext = originalContext
    self.magnitude = magnitude ?? Self.magnitude(factor)
  }

  /// `0.1 · weight · ln(factor) + 1`, of the YaRN paper (arXiv 2309.00071).
  static func magnitude(_ factor: Double, weight: Double = 1) -> Double {
    factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1
  }

  func stretched(_ frequencies: [Double], theta: Double) -> [Double] {
    let dimension = Double(2 * frequencies.count)
    // The pair that makes so many turns within the original context.
    func pair(turns: Double) -> Double {
      dimension * log(Double(originalContext) / (turns * 2 * .pi)) / (2 * log(theta))
    }
    var (low, high) = (pair(turns: betaFast), pair(turns: betaSlow))
    if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    (low, high) = (max(low, 0), min(high, dimension - 1))
    if low == high { high += 0.001 }
    return frequencies.enumerated().map { index, frequency in
      let divided = min(max((Double(index) - low) / (high - low), 0), 1)
      return frequency / factor * divided + frequency * (1 - divided)
    }
  }
}

/// Divisors of frequencies, one set for texts within the original context and one for longer ones.
///
/// A sequence takes one of the sets for all its positions, because keys that were rotated by one can't be
/// looked for by the other.
package struct LongRopeScaling: Sendable, Hashable {
  /// `[pairs]`, for texts that fit the original context.
  package var shortFactors: [Double]
  /// `[pairs]`, for longer ones.
  package var longFactors: [Double]
  package var originalContext: Int
  /// What cosines and sines are multiplied by.
  package var magnitude: Double
  /// Whether the divisors of longer texts are in use.
  package var isLong = false

  /// Makes a scaling.
  ///
  /// - Parameters:
  ///   - factor: How many times the original context a text may have.
  ///   - magnitude: Nil for √(1 + ln(factor) / ln(originalContext)).
  package init(
    shortFactors: [Double], longFactors: [Double], originalContext: Int, factor: Double,
    magnitude: Double? = nil
  ) {
    self.shortFactors = shortFactors
    self.longFactors = longFactors
    self.originalContext = originalContext
    let usual = factor <= 1 ? 1 : (1 + log(factor) / log(Double(originalContext))).squareRoot()
    // As GGUF files hold it.
    self.magnitude = Double(Float(magnitude ?? usual))
  }

  /// The divisors in use.
  var factors: [Double] { isLong ? longFactors : shortFactors }

  /// Whether texts of all lengths are rotated alike, and cosines and sines kept as they are.
  package var isUniform: Bool { shortFactors == longFactors && magnitude == 1 }
}
