import Files
import Tensors

// The settings that some families have and others refuse.
extension ModelConfiguration {
  /// The activation that a file names.
  static func activation(_ file: ConfigurationFile, _ family: ModelFamily) throws -> Activation {
    guard let name = try file.text("hidden_act") else { return family.activations[0] }
    guard
      let found = family.activationNames[name]
        ?? family.activations.first(where: { $0.names.contains(name) })
    else {
      throw file.problem(
        "\(file.name(of: "hidden_act")) \(quoted(name)) is not supported; only "
          + family.activations.map(\.rawValue).joined(separator: " and ") + " is")
    }
    return found
  }

  /// The numbers that the family reads.
  static func factors(
    _ file: ConfigurationFile, _ family: ModelFamily
  ) throws -> [ModelFactor: Double] {
    var factors: [ModelFactor: Double] = [:]
    for (factor, standard) in family.factors {
      factors[factor] =
        file.has(factor.rawValue) ? try file.number(factor.rawValue) : standard
    }
    return factors
  }

  /// Whether a part is there that only some of the family's models have; nil if the family has none such.
  static func has(
    _ part: ModelSwitch, _ file: ConfigurationFile, _ family: ModelFamily
  ) throws -> Bool? {
    guard let standard = family.switches[part] else { return nil }
    return try file.bool(part.rawValue) ?? standard
  }

  /// Which layers don't rotate; empty if all do.
  static func unrotatedLayers(
    _ file: ConfigurationFile, _ family: ModelFamily, layerCount: Int,
    isWindowed: (Int) -> Bool
  ) throws -> [Bool] {
    // The count is checked later.
    let layers = 0..<max(0, min(layerCount, 1 << 12))
    var unrotated: [Bool]
    switch family.rotation.unrotated {
    case .none: return []
    case .all: unrotated = layers.map { _ in true }
    case .allUnlessNamed:
      let type = try file.text("position_embedding_type")
      guard [nil, "nope", "rope"].contains(type) else {
        throw file.problem(
          "position_embedding_type \(quoted(type ?? "")) is not supported; only rope and nope are")
      }
      unrotated = layers.map { _ in type != "rope" }
    case .seeingAll: unrotated = layers.map { !isWindowed($0) }
    case .withoutWindow:
      unrotated = layers.map { !isWindowed($0) }
      if !unrotated.contains(false) {
        guard file.has("sliding_window"), file.value("sliding_window") == nil else {
          throw file.problem("layer_types has no sliding_attention; set sliding_window to null")
        }
        unrotated = []
      }
    case .listed(let interval):
      if let rotated = try file.integers("no_rope_layers"), !rotated.isEmpty {
        guard rotated.count == layerCount else {
          throw file.problem(
            "no_rope_layers names \(rotated.count) layers, but num_hidden_layers is \(layerCount); "
              + "correct one of them")
        }
        unrotated = rotated.map { $0 == 0 }
      } else {
        let interval = try file.integer("no_rope_layer_interval") ?? interval
        guard interval > 0 else {
          throw file.problem("no_rope_layer_interval is \(interval), but must be above 0")
        }
        unrotated = layers.map { ($0 + 1) % interval == 0 }
      }
    }
    return unrotated.contains(true) ? unrotated : []
  }
}
