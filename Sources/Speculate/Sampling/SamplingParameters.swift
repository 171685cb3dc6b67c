public import Files

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
  /// Taken from the logits of tokens that the output holds already; 0 is off.
  public var presencePenalty: Float
  /// Taken from the logits of tokens once for each time that the output holds them; 0 is off.
  public var frequencyPenalty: Float
  /// What is added to the logits of tokens before all else.
  public var logitBias: [Token: Float]
  /// Selects the noise; the same seed gives the same output, whatever decoder runs.
  public var seed: UInt64

  /// Greedy decoding.
  public static let greedy = SamplingParameters()

  /// Makes parameters without checking them; decoders call ``validated()``.
  public init(
    temperature: Float = 0, topK: Int = 0, topP: Float = 1, minP: Float = 0,
    repetitionPenalty: Float = 1, presencePenalty: Float = 0, frequencyPenalty: Float = 0,
    logitBias: [Token: Float] = [:], seed: UInt64 = 0
  ) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
    self.repetitionPenalty = repetitionPenalty
    self.presencePenalty = presencePenalty
    self.frequencyPenalty = frequencyPenalty
    self.logitBias = logitBias
    self.seed = seed
  }

  /// Whether the most probable token is taken, without noise.
  public var isGreedy: Bool { temperature == 0 }

  /// Whether a token's logit depends on which tokens came before.
  public var usesContext: Bool { repetitionPenalty != 1 || usesCounts }

  /// Whether a token's logit depends on how often the output holds it.
  var usesCounts: Bool { presencePenalty != 0 || frequencyPenalty != 0 }

  /// Whether tokens are removed for what others there are.
  var isFiltered: Bool { !isGreedy && (topK > 0 || topP < 1 || minP > 0) }

  /// Whether the most probable token is taken of the logits as they are.
  var isArgmax: Bool { isGreedy && !usesContext && logitBias.isEmpty }

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
    for (name, penalty) in [("presence", presencePenalty), ("frequency", frequencyPenalty)]
    where !(-2...2).contains(penalty) {
      throw SpeculateError("\(name) penalty \(penalty) is out of range: use -2 to 2 (0 is none)")
    }
    let biases = logitBias.filter { !(-100...100).contains($0.value) }
    if let (token, bias) = biases.min(by: { $0.key < $1.key }) {
      throw SpeculateError("logit bias \(bias) of token \(token) is out of range: use -100 to 100")
    }
    return self
  }

  /// - Throws: ``SpeculateError`` for a bias of a token that the model lacks.
  func checkBiases(vocabulary: Int) throws(SpeculateError) {
    let strays = logitBias.keys.filter { !(0..<vocabulary).contains(Int($0)) }
    guard let stray = strays.min() else { return }
    throw SpeculateError(
      "logit bias names token \(stray), but the model has \(vocabulary) tokens: use ids from 0 to"
        + " \(vocabulary - 1)")
  }
}

/// Penalties of the output and biases are written where there are any, so that what was written without them is
/// read as before.
extension SamplingParameters {
  private enum CodingKeys: CodingKey {
    case temperature, topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty
    case logitBias, seed
  }

  /// Reads parameters.
  public init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      temperature: try values.decode(Float.self, forKey: .temperature),
      topK: try values.decode(Int.self, forKey: .topK),
      topP: try values.decode(Float.self, forKey: .topP),
      minP: try values.decode(Float.self, forKey: .minP),
      repetitionPenalty: try values.decode(Float.self, forKey: .repetitionPenalty),
      presencePenalty: try values.decodeIfPresent(Float.self, forKey: .presencePenalty) ?? 0,
      frequencyPenalty: try values.decodeIfPresent(Float.self, forKey: .frequencyPenalty) ?? 0,
      seed: try values.decode(UInt64.self, forKey: .seed))
    for (name, bias) in try values.decodeIfPresent([String: Float].self, forKey: .logitBias) ?? [:]
    {
      guard let token = Token(name) else {
        throw DecodingError.dataCorruptedError(
          forKey: .logitBias, in: values, debugDescription: "\(name) is no token")
      }
      logitBias[token] = bias
    }
  }

  /// Writes parameters.
  public func encode(to encoder: any Swift.Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(temperature, forKey: .temperature)
    try values.encode(topK, forKey: .topK)
    try values.encode(topP, forKey: .topP)
    try values.encode(minP, forKey: .minP)
    try values.encode(repetitionPenalty, forKey: .repetitionPenalty)
    if presencePenalty != 0 { try values.encode(presencePenalty, forKey: .presencePenalty) }
    if frequencyPenalty != 0 { try values.encode(frequencyPenalty, forKey: .frequencyPenalty) }
    if !logitBias.isEmpty {
      let named = Dictionary(uniqueKeysWithValues: logitBias.map { ("\($0)", $1) })
      try values.encode(named, forKey: .logitBias)
    }
    try values.encode(seed, forKey: .seed)
  }
}
