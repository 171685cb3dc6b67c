import Files

/// How the target's logits become one token: the whole choice, apart from the logits themselves.
///
/// The same value drives plain and speculative decoding, and both choose the same tokens. The
/// defaults are greedy decoding.
public struct SamplingParameters: Sendable, Equatable, Codable {
  /// What logits are divided by; 0 means greedy decoding, where filters and seed have no effect.
  public var temperature: Float
  /// Keeps the `topK` most probable tokens (and those tied with the last of them); 0 keeps all.
  public var topK: Int
  /// Keeps the smallest set of most probable tokens whose mass reaches `topP`; 1 keeps all.
  public var topP: Float
  /// Removes tokens less probable than `minP` times the most probable one; 0 keeps all.
  public var minP: Float
  /// Divides positive and multiplies negative logits of tokens already in the text; 1 is off.
  public var repetitionPenalty: Float
  /// Selects the noise; the same seed gives the same output, whatever decoder runs.
  public var seed: UInt64

  /// Greedy decoding.
  public static let greedy = SamplingParameters()

  /// Makes parameters without checking them; decoders call ``validated()``.
  public init(
    temperature: Float = 0, topK: Int = 0, topP: Float = 1, minP: Float = 0,
    repetitionPenalty: Float = 1, seed: UInt64 = 0
  ) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
    self.repetitionPenalty = repetitionPenalty
    self.seed = seed
  }

  /// Whether the most probable token is taken, without noise.
  public var isGreedy: Bool { temperature == 0 }

  /// Whether a token's logit depends on which tokens came before.
  public var usesContext: Bool { repetitionPenalty != 1 }

  /// The same value, once every field was found in its range.
  ///
  /// Bounds on temperature and penalty keep processed logits finite.
  ///
  /// - Throws: ``SpeculateError`` naming the field, its value and the range.
  @discardableResult
  public func validated() throws -> SamplingParameters {
    guard temperature == 0 || (0.01...100).contains(temperature) else {
      throw SpeculateError(
        "temperature \(temperature) is out of range: use 0 for greedy decoding, or 0.01 to 100")
    }
    guard topK >= 0 else {
      throw SpeculateError("top-k \(topK) is out of range: use 1 or more, or 0 to keep all tokens")
    }
    guard topP > 0, topP <= 1 else {
      throw SpeculateError(
        "top-p \(topP) is out of range: use more than 0 and at most 1 (1 keeps all tokens)")
    }
    guard minP >= 0, minP <= 1 else {
      throw SpeculateError("min-p \(minP) is out of range: use 0 to 1 (0 keeps all tokens)")
    }
    guard (0.1...10).contains(repetitionPenalty) else {
      throw SpeculateError(
        "repetition penalty \(repetitionPenalty) is out of range: use 0.1 to 10 (1 is none)")
    }
    return self
  }
}
