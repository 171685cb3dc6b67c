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
    let plain = try ConfigurationFile(url: url)
    let family = try families.family(of: plain)
    let part = try family.section.flatMap { try plain.part($0) } ?? plain
    let file = part.calling(family.keys)
    try UnsupportedFeature.check(file, family: family)

    let headCount =
      try family.defaults.headCount.map { try file.integer("num_attention_heads") ?? $0 }
      ?? file.requiredInteger("num_attention_heads")
    let layerCount = try file.requiredInteger("num_hidden_layers")
    let maximumContext = try file.integer("max_position_embeddings") ?? family.defaults.context
    let rope = try LayeredRopeSettings(file, family: family, maximumContext: maximumContext)
    let bias = try file.bool("attention_bias") ?? family.defaults.attentionBias
    let window = try WindowSettings(file, family: family, layerCount: layerCount)
    let vocabularySize =
      try family.defaults.vocabularySize.map { try file.integer("vocab_size") ?? $0 }
      ?? file.requiredInteger("vocab_size")
    let hiddenSize = try file.requiredInteger("hidden_size")
    // Beyond any size that is allowed, a product must not trap.
    let usualIntermediate = family.defaults.intermediateFactor.map {
      $0 * max(0, min(hiddenSize, 1 << 20))
    }
    let tokens = try SpecialTokens(
      file, directory: directory, family: family, vocabularySize: vocabularySize)

    self.init(
      family: family, vocabularySize: vocabularySize,
      hiddenSize: hiddenSize,
      intermediateSize: try file.integer("intermediate_size") ?? usualIntermediate
        ?? file.requiredInteger("intermediate_size"),
      layerCount: layerCount, headCount: headCount,
      keyValueHeadCount: file.has("num_key_value_heads")
        ? try file.integer("num_key_value_heads") : family.defaults.keyValueHeadCount,
      headDimension: try file.integer("head_dim") ?? family.defaults.headDimension,
      normEpsilon: Float(try file.number("rms_norm_eps") ?? family.defaults.normEpsilon),
      ropeTheta: rope.all.theta, ropeScaling: rope.all.scaling,
      rotatedShare: rope.all.rotatedShare,
      tiesEmbeddings: try file.bool("tie_word_embeddings") ?? family.defaults.tiesEmbeddings,
      maximumContext: maximumContext,
      attentionBias: family.inputBias == .configured ? bias : nil,
      outputBias: family.outputBias == .configuredApart
        ? try file.bool("attention_out_bias") ?? false : nil,
      mlpBias: family.feedForwardBias == .configured
        ? try file.bool("mlp_bias") ?? family.defaults.feedForwardBias
        : family.feedForwardBias == .always,
      slidingWindow: window.size, windowedLayers: window.layers, endTokens: tokens.end,
      beginToken: tokens.begin, elementType: try Self.elementType(file))
    activation = try Self.activation(file, family)
    factors = try Self.factors(file, family)
    if let isNormed = try Self.has(.headNorms, file, family) {
      headNorms = isNormed ? family.headNorms : .none
    }
    if let isParallel = try Self.has(.parallelLayers, file, family) {
      flow = isParallel ? family.flow : .sequential
    }
    windowedRope = rope.windowed
    unrotatedLayers = try Self.unrotatedLayers(
      file, family, layerCount: layerCount, isWindowed: usesWindow)
    experts = try family.experts.map {
      try ExpertSettings(file, $0, layerCount: layerCount)
    }
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
    guard let section = try file.section(quantizationKey), try UnsupportedFeature.isOwn(section)
    else {
      return nil
    }
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
