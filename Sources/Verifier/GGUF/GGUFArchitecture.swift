import Files
import Tensors

/// How GGUF files name and order the tensors of a family.
struct GGUFArchitecture: Sendable {
  /// The name in `general.architecture`.
  let name: String
  /// The family that computes the same.
  let family: ModelFamily
  /// Whether the rows of query and key heads lie in pairs that are rotated together.
  var pairsRows = false
  /// Whether experts' weights are normalized where a file doesn't say, and the family leaves it open.
  var normalizesExperts = false
  /// Whether the bounds of YaRN's blend are whole numbers of pairs, which no key says.
  var truncatesYarn = true
  /// What files hold in one tensor each.
  var fuses: Set<Fusion> = []
  /// What tensors are called that have other names here, behind the layer's number.
  var names: [LayerTensor: String] = [:]

  /// The architectures that there are.
  static let all = [
    GGUFArchitecture(name: "llama", family: .llama, pairsRows: true),
    GGUFArchitecture(name: "qwen2", family: .qwen2),
    GGUFArchitecture(name: "qwen3", family: .qwen3),
    GGUFArchitecture(name: "gpt2", family: .gpt2, fuses: [.inputs]),
    GGUFArchitecture(name: "gptneox", family: .gptNeoX, fuses: [.inputs]),
    GGUFArchitecture(name: "starcoder2", family: .starCoder2),
    GGUFArchitecture(name: "phi2", family: .phi),
    GGUFArchitecture(name: "phi3", family: .phi3, fuses: [.inputs, .gated]),
    GGUFArchitecture(name: "command-r", family: .cohere),
    GGUFArchitecture(name: "cohere2", family: .cohere2),
    GGUFArchitecture(name: "olmo", family: .olmo, pairsRows: true),
    GGUFArchitecture(name: "stablelm", family: .stableLM),
    GGUFArchitecture(name: "nemotron", family: .nemotron),
    GGUFArchitecture(name: "gemma", family: .gemma),
    GGUFArchitecture(name: "gemma2", family: .gemma2),
    GGUFArchitecture(name: "gemma3", family: .gemma3),
    GGUFArchitecture(name: "smollm3", family: .smolLM3, pairsRows: true),
    // Without windows, OLMo 3 is OLMo 2.
    GGUFArchitecture(name: "olmo2", family: .olmo3),
    GGUFArchitecture(name: "granite", family: .granite, pairsRows: true),
    GGUFArchitecture(name: "chatglm", family: .glm, fuses: [.gated]),
    GGUFArchitecture(name: "glm4", family: .glm4, fuses: [.gated]),
    GGUFArchitecture(name: "ernie4_5", family: .ernie),
    GGUFArchitecture(
      name: "seed_oss", family: .seedOSS, names: [.feedForwardNorm: "post_attention_norm.weight"]),
    GGUFArchitecture(name: "exaone4", family: .exaone4),
    GGUFArchitecture(name: "llama", family: .mixtral, pairsRows: true),
    GGUFArchitecture(name: "qwen2moe", family: .qwen2MoE),
    GGUFArchitecture(name: "qwen3moe", family: .qwen3MoE, normalizesExperts: true),
    GGUFArchitecture(name: "olmoe", family: .olmoe),
    GGUFArchitecture(name: "granitemoe", family: .graniteMoE, pairsRows: true),
    GGUFArchitecture(
      name: "gpt-oss", family: .gptOSS, truncatesYarn: false,
      names: [.feedForwardNorm: "post_attention_norm.weight"]),
  ]

  /// The architecture of a file.
  ///
  /// - Throws: `SpeculateError` naming it if it isn't one of these.
  static func of(_ settings: GGUFSettings) throws -> GGUFArchitecture {
    let named = all.filter { $0.name == settings.architecture }
    let hasExperts = try settings.hasExperts
    guard let found = named.first(where: { ($0.family.experts != nil) == hasExperts }) else {
      if !named.isEmpty {
        throw settings.problem(
          "\(settings.architecture) models \(hasExperts ? "with" : "without") experts are not "
            + "supported")
      }
      var seen: Set<String> = []
      throw settings.problem(
        "the architecture \(quoted(settings.architecture)) is not supported in GGUF files; use one "
          + "of \(all.map(\.name).filter { seen.insert($0).inserted }.joined(separator: ", "))")
    }
    return found
  }

  static let embedding = "token_embd.weight"
  static let head = "output.weight"
  static let finalNorm = "output_norm.weight"
  static let fusedBias = "blk.0.attn_qkv.bias"
  static let finalNormBias = "output_norm.bias"
  /// The divisors of rotary frequencies.
  static let ropeDivisors = "rope_freqs.weight"
  /// The divisors of LongRoPE, for short texts and long ones.
  static let (shortFactors, longFactors) = ("rope_factors_short.weight", "rope_factors_long.weight")
  /// The tensors that are settings rather than weights.
  static let settings = [ropeDivisors, shortFactors, longFactors]

  /// Whether scores are divided by the root of a head's share of the hidden size, not of its width: in the
  /// largest model of a family alone.
  func dividesByHeads(_ layerCount: Int) -> Bool {
    name == "gemma2" && layerCount == 46 || name == "gemma3" && layerCount == 62
  }

  /// The name of a layer's tensor; the experts of a layer share it.
  func name(of role: LayerTensor, layer: Int) -> String {
    names[role].map { "blk.\(layer).\($0)" } ?? role.ggufName(layer: layer)
  }

  /// Where a file has the tensors of a model, by the names that the family has for them.
  ///
  /// Files of some architectures have queries, keys and values in one tensor, all of a kind together, and
  /// gate and up as well.
  ///
  /// - Parameter file: Says which tensors are so; nil for a file that is to be written, in which those are that
  ///   other programs expect so.
  func places(
    of configuration: ModelConfiguration, in file: GGUFFile?
  ) -> [String: GGUFSource.Place] {
    let family = configuration.family.tensors
    var places = [
      family.embedding: GGUFSource.Place(Self.embedding),
      family.head: GGUFSource.Place(Self.head),
    ]
    if let weight = configuration.finalNorm.weight {
      places[weight.name] = GGUFSource.Place(Self.finalNorm)
    }
    if let bias = configuration.finalNorm.bias {
      places[bias.name] = GGUFSource.Place(Self.finalNormBias)
    }
    if let positions = configuration.positions {
      places[positions.name] = GGUFSource.Place("position_embd.weight")
    }
    if let bias = configuration.headBias { places[bias.name] = GGUFSource.Place("output.bias") }
    for layer in 0..<configuration.layerCount {
      for (role, tensor) in configuration.layout(ofLayer: layer).tensors {
        if let expert = role.expert, let experts = configuration.experts {
          places[tensor.name] = Self.place(
            name(of: role, layer: layer), tensor, of: expert, among: experts.options.count)
          continue
        }
        var order = order(of: role, configuration)
        let fused = Self.fused(role, layer: layer, configuration)
        if let fused, isFused(fused, in: file) {
          order.first = fused.first
          places[tensor.name] = GGUFSource.Place(fused.name, rows: fused.rows, order: order)
        } else {
          places[tensor.name] = GGUFSource.Place(
            name(of: role, layer: layer), order: order,
            shape: role == .sharedRouter
              ? file?.tensor(name(of: role, layer: layer))?.shape : tensor.part?.shape)
        }
      }
    }
    return places
  }

  /// Where a tensor of all experts has one's.
  private static func place(
    _ name: String, _ tensor: NamedShape, of expert: Int, among count: Int
  ) -> GGUFSource.Place {
    GGUFSource.Place(
      name, rows: count * tensor.shape[0], order: RowOrder(first: expert * tensor.shape[0]),
      shape: [count] + tensor.shape)
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
