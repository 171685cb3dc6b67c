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
  ///   - maximumContext: What Llama-3 scaling takes for its original context where the file doesn't say.
  ///   - rotatedShare: What a file that doesn't say means; nil where only whole heads are rotated.
  /// - Throws: `SpeculateError` for a value of the wrong type, or a kind of scaling that isn't
  ///   supported.
  package init(
    _ file: ConfigurationFile, maximumContext: Int, rotatedShare standard: Double? = nil
  ) throws {
    // As transformers 5 reads them: a rope_scaling that says something comes first.
    let sections = try ["rope_scaling", "rope_parameters"].compactMap { try file.section($0) }
    let section = sections.first { !$0.members.isEmpty }
    theta = try section?.number("rope_theta") ?? file.number("rope_theta") ?? 10_000
    let share = try standard.map { try file.number("partial_rotary_factor") ?? $0 }
    guard let section else {
      rotatedShare = share ?? 1
      scaling = .none
      return
    }
    if let key = section.members.keys.sorted().first(where: { $0.hasSuffix("_attention") }) {
      throw file.problem("\(section.name(of: key)), rotary settings per layer, is not supported")
    }
    if section.value("mrope_section") != nil {
      throw file.problem("\(section.name(of: "mrope_section")), multimodal rope, is not supported")
    }
    rotatedShare = try section.number("partial_rotary_factor") ?? share ?? 1
    guard share != nil || rotatedShare == 1 else {
      throw file.problem(
        "\(section.name(of: "partial_rotary_factor")) \(rotatedShare) is not supported; only 1 is")
    }
    func required(_ key: String) throws -> Double {
      guard let number = try section.number(key) else {
        throw file.problem("\(section.name(of: key)) is missing; add it or download the file again")
      }
      return number
    }
    let type = try section.text("rope_type") ?? section.text("type") ?? "default"
    switch type {
    case "default": scaling = .none
    case "linear": scaling = .linear(factor: try required("factor"))
    case "llama3":
      scaling = .llama3(
        factor: try required("factor"), lowFrequencyFactor: try required("low_freq_factor"),
        highFrequencyFactor: try required("high_freq_factor"),
        originalContext: try section.integer("original_max_position_embeddings") ?? maximumContext)
    default:
      throw file.problem(
        "rope scaling of type \(quoted(type)) is not supported; only default, linear and llama3 are"
      )
    }
  }
}

extension RopeScaling {
  /// The value of `rope_scaling` in a `config.json`.
  package var encoded: JSONValue {
    switch self {
    case .none: .null
    case .linear(let factor): .object(["rope_type": .string("linear"), "factor": .number(factor)])
    case .llama3(let factor, let low, let high, let original):
      .object([
        "rope_type": .string("llama3"), "factor": .number(factor), "low_freq_factor": .number(low),
        "high_freq_factor": .number(high), "original_max_position_embeddings": .integer(original),
      ])
    }
  }
}
