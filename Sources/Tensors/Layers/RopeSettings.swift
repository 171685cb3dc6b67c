package import Files

/// The rotary settings of `config.json`, in the form of `transformers` 4 (`rope_theta`,
/// `rope_scaling`) or 5 (`rope_parameters`, which may hold the base as well).
package struct RopeSettings: Sendable {
  /// The base of the frequencies.
  package let theta: Double
  /// How the frequencies are stretched.
  package let scaling: RopeScaling
  /// The share of a head's values that is rotated.
  package let rotatedShare: Double

  /// Reads them.
  ///
  /// - Parameters:
  ///   - maximumContext: What is taken for the original context where the file doesn't say.
  ///   - theta: The base where the file doesn't say.
  ///   - scaling: What a file without such a section means.
  ///   - rotatedShare: What a file that doesn't say means; nil where only whole heads are rotated.
  ///   - layers: Of which layers, where a file has a section for each type; nil refuses such files.
  /// - Throws: `SpeculateError` for a value of the wrong type, or a kind of scaling that isn't
  ///   supported.
  package init(
    _ file: ConfigurationFile, maximumContext: Int, theta standardTheta: Double = 10_000,
    scaling standardScaling: RopeScaling = .none, rotatedShare standard: Double? = nil,
    layers: String? = nil
  ) throws {
    var section = try Self.section(file)
    if let named = section, let nested = Self.sections(ofLayersIn: named).first {
      guard let layers else {
        throw file.problem(
          "\(named.name(of: nested)), rotary settings per layer, is not supported")
      }
      section = try named.section(layers)
    }
    theta = try section?.number("rope_theta") ?? file.number("rope_theta") ?? standardTheta
    let share = try standard.map { try file.number("partial_rotary_factor") ?? $0 }
    guard let section else {
      rotatedShare = share ?? 1
      scaling = standardScaling
      return
    }
    if section.value("mrope_section") != nil {
      throw file.problem("\(section.name(of: "mrope_section")), multimodal rope, is not supported")
    }
    rotatedShare = try section.number("partial_rotary_factor") ?? share ?? 1
    guard share != nil || rotatedShare == 1 else {
      throw file.problem(
        "\(section.name(of: "partial_rotary_factor")) \(rotatedShare) is not supported; only 1 is")
    }
    scaling = try RopeScaling(section, of: file, maximumContext: maximumContext)
  }

  /// The section that says something: as in transformers 5, `rope_scaling` comes first.
  package static func section(_ file: ConfigurationFile) throws -> ConfigurationFile? {
    try ["rope_scaling", "rope_parameters"].compactMap { try file.section($0) }
      .first { !$0.members.isEmpty }
  }

  /// The keys of a section that speak of layers of a type.
  package static func sections(ofLayersIn section: ConfigurationFile) -> [String] {
    section.members.keys.filter { $0.hasSuffix("_attention") }.sorted()
  }
}

extension RopeScaling {
  /// Reads a section of rotary settings.
  fileprivate init(
    _ section: ConfigurationFile, of file: ConfigurationFile, maximumContext: Int
  ) throws {
    func required<T>(_ key: String, _ value: T?) throws -> T {
      guard let value else {
        throw file.problem("\(section.name(of: key)) is missing; add it or download the file again")
      }
      return value
    }
    func number(_ key: String) throws -> Double { try required(key, try section.number(key)) }
    // As transformers 5: what stands beside the section comes first.
    let original =
      try file.integer("original_max_position_embeddings")
      ?? section.integer("original_max_position_embeddings") ?? maximumContext
    // No division by 0, nor a logarithm of it; what is out of range is refused by the check.
    let stretch = Double(maximumContext) / Double(max(original, 1))
    let type = try section.text("rope_type") ?? section.text("type") ?? "default"
    switch type {
    case "default", "mrope": self = .none
    case "linear": self = .linear(factor: try number("factor"))
    case "dynamic": self = .dynamic(factor: try number("factor"))
    case "llama3":
      self = .llama3(
        factor: try number("factor"), lowFrequencyFactor: try number("low_freq_factor"),
        highFrequencyFactor: try number("high_freq_factor"), originalContext: original)
    case "yarn":
      self = .yarn(try YarnScaling(section, stretch: stretch, originalContext: original))
    case "longrope", "su":
      self = .longrope(
        LongRopeScaling(
          shortFactors: try required("short_factor", try section.numbers("short_factor")),
          longFactors: try required("long_factor", try section.numbers("long_factor")),
          originalContext: original, factor: try section.number("factor") ?? stretch,
          magnitude: try section.number("attention_factor")))
    default:
      throw file.problem(
        "rope scaling of type \(quoted(type)) is not supported; only default, linear, dynamic, "
          + "llama3, yarn and longrope are")
    }
  }

  /// The value of `rope_scaling` in a `config.json`.
  package var encoded: JSONValue {
    switch self {
    case .none: .null
    case .linear(let factor): .object(["rope_type": .string("linear"), "factor": .number(factor)])
    case .dynamic(let factor):
      .object(["rope_type": .string("dynamic"), "factor": .number(factor)])
    case .llama3(let factor, let low, let high, let original):
      .object([
        "rope_type": .string("llama3"), "factor": .number(factor), "low_freq_factor": .number(low),
        "high_freq_factor": .number(high), "original_max_position_embeddings": .integer(original),
      ])
    case .yarn(let yarn):
      .object([
        "rope_type": .string("yarn"), "factor": .number(yarn.factor),
        "beta_fast": .number(yarn.betaFast), "beta_slow": .number(yarn.betaSlow),
        "attention_factor": .number(yarn.magnitude), "truncate": .bool(yarn.truncates),
        "original_max_position_embeddings": .integer(yarn.originalContext),
      ])
    case .longrope(let long):
      .object([
        "rope_type": .string("longrope"),
        "short_factor": .array(long.shortFactors.map { .number($0) }),
        "long_factor": .array(long.longFactors.map { .number($0) }),
        "attention_factor": .number(long.magnitude),
        "original_max_position_embeddings": .integer(long.originalContext),
      ])
    }
  }
}

extension RopeScaling {
  /// The settings of some layers in `rope_parameters`, with their base.
  package func encoded(theta: Double) -> JSONValue {
    var members = encoded.members ?? ["rope_type": .string("default")]
    members["rope_theta"] = .number(theta)
    return .object(members)
  }
}

extension YarnScaling {
  fileprivate init(_ section: ConfigurationFile, stretch: Double, originalContext: Int) throws {
    let factor = try section.number("factor") ?? stretch
    var magnitude = try section.number("attention_factor")
    if magnitude == nil, let weight = try section.number("mscale"),
      let divisor = try section.number("mscale_all_dim"), weight != 0, divisor != 0
    {
      magnitude =
        Self.magnitude(factor, weight: weight) / Self.magnitude(factor, weight: divisor)
    }
    self.init(factor: factor, originalContext: originalContext, magnitude: magnitude)
    // As in Python, 0 counts as nothing.
    if let fast = try section.number("beta_fast"), fast != 0 { betaFast = fast }
    if let slow = try section.number("beta_slow"), slow != 0 { betaSlow = slow }
    truncates = try section.bool("truncate") ?? true
  }
}
