import Files
public import Foundation
import Tensors

extension ModelConfiguration {
  /// Reads `config.json`, and the end tokens of `generation_config.json` where it has some.
  ///
  /// Defaults for what a file leaves out are those of `transformers` 5 for the family, but the five
  /// sizes that make the model must be there.
  ///
  /// - Throws: `SpeculateError` naming the file and the setting that is wrong, or the architecture
  ///   or feature that is not supported.
  public init(directory: URL) throws {
    let url = directory.appendingPathComponent("config.json")
    guard FileManager.default.fileExists(atPath: url.path) else {
      throw SpeculateError(
        "\(directory.path): there is no config.json; give the folder of a checkpoint in Hugging "
          + "Face layout")
    }
    let file = try ConfigurationFile(url: url)
    let family = try Self.family(file)
    try UnsupportedFeature.check(file, family: family)

    let headCount = try file.requiredInteger("num_attention_heads")
    let layerCount = try file.requiredInteger("num_hidden_layers")
    let maximumContext = try file.integer("max_position_embeddings") ?? family.defaultContext
    let rope = try RopeSettings(file, maximumContext: maximumContext)
    let bias = try file.bool("attention_bias") ?? false
    let window = try WindowSettings(file, family: family, layerCount: layerCount)
    let vocabularySize = try file.requiredInteger("vocab_size")
    let tokens = try SpecialTokens(
      file, directory: directory, family: family, vocabularySize: vocabularySize)

    self.init(
      family: family, vocabularySize: vocabularySize,
      hiddenSize: try file.requiredInteger("hidden_size"),
      intermediateSize: try file.requiredInteger("intermediate_size"), layerCount: layerCount,
      headCount: headCount,
      keyValueHeadCount: file.has("num_key_value_heads")
        ? try file.integer("num_key_value_heads") : family.defaultKeyValueHeadCount,
      headDimension: try file.integer("head_dim") ?? family.defaultHeadDimension,
      normEpsilon: Float(try file.number("rms_norm_eps") ?? 1e-6), ropeTheta: rope.theta,
      ropeScaling: rope.scaling, tiesEmbeddings: try file.bool("tie_word_embeddings") ?? false,
      maximumContext: maximumContext,
      attentionBias: family == .qwen2 ? true : family == .mistral ? false : bias,
      outputBias: family == .llama || family == .qwen3 ? bias : false,
      mlpBias: family == .llama ? try file.bool("mlp_bias") ?? false : false,
      slidingWindow: window.size, windowedLayers: window.layers, endTokens: tokens.end,
      beginToken: tokens.begin, elementType: try Self.elementType(file))
    quantization = try Self.quantization(file)
    if !file.has("head_dim") && family != .qwen3 && headCount > 0 && hiddenSize % headCount != 0 {
      throw file.problem(
        "hidden_size is \(hiddenSize), but must be a multiple of num_attention_heads, \(headCount)"
      )
    }
    try check(source: url.path)
  }

  /// The family by `architectures`, or by `model_type` where there are none.
  private static func family(_ file: ConfigurationFile) throws -> Family {
    let known = Family.allCases.map(\.architecture).joined(separator: ", ")
    let modelType = try file.text("model_type")
    let architecture = try file.texts("architectures")?.first
    if let architecture {
      guard let family = Family.allCases.first(where: { $0.architecture == architecture }) else {
        throw file.problem(
          "the architecture \(quoted(architecture)) is not supported; use one of \(known)")
      }
      if let modelType, modelType != family.rawValue {
        throw file.problem(
          "architectures says \(architecture), but model_type says \(quoted(modelType)); correct "
            + "one of them")
      }
      return family
    }
    guard let modelType else {
      throw file.problem(
        "architectures and model_type are missing; give the config.json of a causal model")
    }
    guard let family = Family(rawValue: modelType) else {
      throw file.problem(
        "the model type \(quoted(modelType)) is not supported; use one of "
          + Family.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return family
  }

  /// Where `config.json` notes the formats of a converted model.
  static let quantizationKey = "quantization_config"

  /// The formats of a model that `speculate convert` wrote (docs/formats.md).
  private static func quantization(_ file: ConfigurationFile) throws -> WeightFormats? {
    guard let section = try file.section(quantizationKey) else { return nil }
    func format(_ key: String) throws -> WeightFormat {
      let name = try section.text(key)
      guard let format = name.flatMap(WeightFormat.init) else {
        throw file.problem(
          "\(section.name(of: key)) is \(name.map(quoted) ?? "missing"), but must be one of "
            + WeightFormat.allCases.map(\.rawValue).joined(separator: ", ")
            + "; convert the model again")
      }
      return format
    }
    let group = try section.integer("group_size")
    guard group == WeightFormat.groupSize else {
      throw file.problem(
        "\(section.name(of: "group_size")) must be \(WeightFormat.groupSize); convert the model again"
      )
    }
    return WeightFormats(
      layers: try format("weights"), head: try format("head"),
      embedding: try format("embedding"))
  }

  private static func elementType(_ file: ConfigurationFile) throws -> ElementType? {
    switch try file.text("dtype") ?? file.text("torch_dtype") {
    case "float32": .f32
    case "float16": .f16
    case "bfloat16": .bf16
    default: nil
    }
  }
}

extension ModelConfiguration.Family {
  fileprivate var defaultContext: Int {
    switch self {
    case .llama: 2048
    case .mistral: 131_072
    case .qwen2, .qwen3: 32_768
    }
  }

  /// What an absent `num_key_value_heads` means; nil for the number of heads.
  fileprivate var defaultKeyValueHeadCount: Int? {
    switch self {
    case .llama: nil
    case .mistral: 8
    case .qwen2, .qwen3: 32
    }
  }

  /// What an absent `head_dim` means; nil for `hidden_size / num_attention_heads`.
  fileprivate var defaultHeadDimension: Int? { self == .qwen3 ? 128 : nil }
}
