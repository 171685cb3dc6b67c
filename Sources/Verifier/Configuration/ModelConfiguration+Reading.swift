import Files
package import Foundation
import Tensors

extension ModelConfiguration {
  /// Reads the metadata of a GGUF file, or a folder's `config.json` and the end tokens of `generation_config.json` where it has some.
  ///
  /// Defaults for what a file leaves out are those of `transformers` 5 for the family, but the five
  /// sizes that make the model must be there.
  ///
  /// - Parameter families: Those whose models are read.
  /// - Throws: `SpeculateError` naming the file and the setting that is wrong, or the architecture
  ///   or feature that is not supported.
  package init(directory: URL, families: FamilyRegistry = .standard) throws {
    if GGUFFile.isMeant(by: directory) {
      try self.init(try GGUFFile(url: directory))
      return
    }
    let url = directory.appendingPathComponent("config.json")
    guard FileManager.default.fileExists(atPath: url.path) else {
      throw SpeculateError(
        "\(directory.path): there is no config.json; give the folder of a checkpoint in Hugging "
          + "Face layout")
    }
    let file = try ConfigurationFile(url: url)
    let family = try families.family(of: file)
    try UnsupportedFeature.check(file, family: family)

    let headCount = try file.requiredInteger("num_attention_heads")
    let layerCount = try file.requiredInteger("num_hidden_layers")
    let maximumContext = try file.integer("max_position_embeddings") ?? family.defaults.context
    let rope = try RopeSettings(
      file, maximumContext: maximumContext, rotatedShare: family.rotatedShare)
    let bias = try file.bool("attention_bias") ?? false
    let window = try WindowSettings(file, windows: family.windows, layerCount: layerCount)
    let vocabularySize = try file.requiredInteger("vocab_size")
    let tokens = try SpecialTokens(
      file, directory: directory, family: family, vocabularySize: vocabularySize)

    self.init(
      family: family, vocabularySize: vocabularySize,
      hiddenSize: try file.requiredInteger("hidden_size"),
      intermediateSize: try file.requiredInteger("intermediate_size"), layerCount: layerCount,
      headCount: headCount,
      keyValueHeadCount: file.has("num_key_value_heads")
        ? try file.integer("num_key_value_heads") : family.defaults.keyValueHeadCount,
      headDimension: try file.integer("head_dim") ?? family.defaults.headDimension,
      normEpsilon: Float(try file.number("rms_norm_eps") ?? 1e-6), ropeTheta: rope.theta,
      ropeScaling: rope.scaling, rotatedShare: rope.rotatedShare,
      tiesEmbeddings: try file.bool("tie_word_embeddings") ?? false,
      maximumContext: maximumContext,
      attentionBias: family.inputBias == .configured ? bias : nil,
      mlpBias: family.feedForwardBias == .configured ? try file.bool("mlp_bias") ?? false : false,
      slidingWindow: window.size, windowedLayers: window.layers, endTokens: tokens.end,
      beginToken: tokens.begin, elementType: try Self.elementType(file))
    quantization = try Self.quantization(file)
    if !file.has("head_dim") && family.defaults.headDimension == nil && headCount > 0
      && hiddenSize % headCount != 0
    {
      throw file.problem(
        "hidden_size is \(hiddenSize), but must be a multiple of num_attention_heads, \(headCount)"
      )
    }
    try check(source: url.path)
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
            + WeightFormat.named.map(\.rawValue).joined(separator: ", ")
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
      layers: try format("weights"), head: try format("head"), embedding: try format("embedding"))
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
