import Files
import Tensors

/// How GGUF files name and order the tensors of a family.
struct GGUFArchitecture: Sendable {
  /// The name in `general.architecture`.
  let name: String
  /// The family that computes the same.
  let family: ModelFamily
  /// Whether the rows of query and key heads lie in pairs that are rotated together.
  let pairsRows: Bool

  /// The architectures that are read.
  static let all = [
    GGUFArchitecture(name: "llama", family: .llama, pairsRows: true),
    GGUFArchitecture(name: "qwen2", family: .qwen2, pairsRows: false),
    GGUFArchitecture(name: "qwen3", family: .qwen3, pairsRows: false),
  ]

  /// The architecture of a file.
  ///
  /// - Throws: `SpeculateError` naming it if it isn't one of these.
  static func of(_ settings: GGUFSettings) throws -> GGUFArchitecture {
    guard let found = all.first(where: { $0.name == settings.architecture }) else {
      throw settings.problem(
        "the architecture \(quoted(settings.architecture)) is not supported in GGUF files; use one "
          + "of \(all.map(\.name).joined(separator: ", "))")
    }
    return found
  }

  static let embedding = "token_embd.weight"
  static let head = "output.weight"
  static let finalNorm = "output_norm.weight"
  /// The divisors of rotary frequencies.
  static let ropeDivisors = "rope_freqs.weight"

  /// The name of a layer's tensor.
  static func name(of role: LayerTensor, layer: Int) -> String {
    role.ggufName(layer: layer)
  }

  /// Where a file has the tensors of a model, by the names that the family has for them.
  func places(of configuration: ModelConfiguration) -> [String: GGUFSource.Place] {
    let names = configuration.family.tensors
    var places = [
      names.embedding: GGUFSource.Place(Self.embedding),
      names.finalNorm: GGUFSource.Place(Self.finalNorm),
      names.head: GGUFSource.Place(Self.head),
    ]
    for layer in 0..<configuration.layerCount {
      for (role, tensor) in configuration.layout(ofLayer: layer).tensors {
        places[tensor.name] = GGUFSource.Place(
          Self.name(of: role, layer: layer), order: order(of: role, configuration))
      }
    }
    return places
  }

  private func order(of role: LayerTensor, _ configuration: ModelConfiguration) -> RowOrder {
    guard pairsRows else { return .plain }
    switch role {
    case .query, .key, .queryBias, .keyBias:
      return .paired(headDimension: configuration.headDimension)
    default: return .plain
    }
  }
}
