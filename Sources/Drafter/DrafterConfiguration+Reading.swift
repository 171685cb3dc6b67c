internal import Files
package import Foundation
internal import Tensors

extension DrafterConfiguration {
  /// Reads the metadata of a GGUF file, or a drafter folder's `config.json`.
  ///
  /// - Throws: `SpeculateError` when the file is missing or isn't JSON, when it describes another
  ///   architecture or uses a feature that isn't supported, or when a value is missing or out of
  ///   range.
  package init(directory: URL) throws {
    if GGUFFile.isMeant(by: directory) {
      try self.init(try GGUFFile(url: directory))
      return
    }
    let url = directory.appendingPathComponent("config.json")
    guard FileManager.default.fileExists(atPath: url.path) else {
      throw SpeculateError(
        "\(url.path): can't be read; ‘drafter’ wants a folder with config.json and "
          + "model.safetensors")
    }
    let file = try ConfigurationFile(url: url)
    let dialect = try DrafterDialect(file)
    let settings = try dialect.settings(file)
    let layers = try dialect.layers(file)
    try UnsupportedDrafterFeature.check(
      file, understood: dialect.understood.union(dialect.hasWindows ? ["is_causal"] : []))
    try UnsupportedDrafterFeature.check(settings, understood: dialect.understood)
    if dialect == .speculators {
      try UnsupportedDrafterFeature.check(layers, understood: dialect.understood)
    }
    let shape = try Self.shape(layers)
    let maximumContext = try layers.size(
      "max_position_embeddings", atMost: 1 << 26, default: Self.usual(layers, 32_768))
    let rope = try RopeSettings(layers, maximumContext: maximumContext)
    if let complaint = rope.scaling.complaint(pairs: shape.headDimension / 2) {
      throw file.problem("rope_scaling.\(complaint)")
    }
    guard shape.normEpsilon > 0, rope.theta > 0 else {
      throw file.problem("'rms_norm_eps' and 'rope_theta' must be positive")
    }
    let vocabulary = try layers.size("vocab_size", default: Self.usual(layers, 151_936))
    let layerCount = try layers.size(
      "num_hidden_layers", atMost: 256, default: Self.usual(layers, 32))
    let convolution =
      dialect == .dflash2
      ? try ConvolutionShape(DrafterSection(own: settings, file: file), hidden: shape.hidden) : nil
    let reaches = try Self.reaches(file, dialect, layers: layers, count: layerCount)
    let block = try Self.block(file, settings, vocabulary: vocabulary)
    let target = try dialect.targetLayers(file, settings, layerCount: layerCount)
    if let width = try settings.integer("target_hidden_size"), width != shape.hidden {
      throw file.problem(
        "'\(settings.name(of: "target_hidden_size"))' \(width), a target of another width than the "
          + "drafter's \(shape.hidden), is not supported; use another drafter, or none")
    }
    self.init(
      blockSize: block.size.upperBound, maskToken: block.mask, targetLayers: target.layers,
      targetLayerCount: target.count, vocabularySize: vocabulary, layerCount: layerCount,
      shape: shape, ropeTheta: rope.theta, ropeScaling: rope.scaling,
      maximumContext: maximumContext,
      draftVocabularySize: try Self.draftVocabulary(file, dialect, vocabulary),
      shortestBlock: block.size.lowerBound, kind: dialect.kind,
      ownsEmbedding: dialect == .tokens ? try Self.ownsEmbedding(settings) : false,
      heads: try DrafterHeads(file))
    let isCausal = try settings.bool("causal_head") ?? file.bool("causal_head") ?? false
    self.isCausal = isCausal || reaches.isCausal
    self.reaches =
      self.isCausal ? reaches.reaches.map { LayerReach(window: $0.window) } : reaches.reaches
    self.convolution = convolution
    if dialect.hasWindows { factors = try DrafterFactors(file, settings) }
    samplesAnchor =
      try settings.bool("sample_from_anchor") ?? file.bool("sample_from_anchor")
      ?? dialect.samplesAnchor(file)
  }

  /// What a layer's setting means where speculators leaves it out: it doesn't write what is Qwen 3's default.
  private static func usual(_ layers: ConfigurationFile, _ value: Int) throws -> Int? {
    let type = try layers.text("model_type") ?? "qwen3"
    return type == "qwen3" && layers.name(of: "") != "" ? value : nil
  }

  private static func shape(_ file: ConfigurationFile) throws -> LayerShape {
    let activation = try file.text("hidden_act") ?? "silu"
    guard activation == "silu" || activation == "swish" else {
      throw file.problem("'hidden_act' '\(activation)' is not supported in drafters; only silu is")
    }
    let queryHeads = try file.size("num_attention_heads", atMost: 4096, default: usual(file, 32))
    let keyValueHeads = try file.size(
      "num_key_value_heads", atMost: queryHeads, default: usual(file, 32) ?? queryHeads)
    guard queryHeads % keyValueHeads == 0 else {
      throw file.problem(
        "'num_attention_heads' \(queryHeads) is not a multiple of 'num_key_value_heads' "
          + "\(keyValueHeads)")
    }
    let dimension = try file.size("head_dim", atMost: 1024, default: 128)
    guard dimension % 2 == 0 else {
      throw file.problem("'head_dim' is \(dimension), must be even")
    }
    return LayerShape(
      hidden: try file.size("hidden_size", atMost: 1 << 17, default: usual(file, 4096)),
      heads: queryHeads, keyValueHeads: keyValueHeads, headDimension: dimension,
      intermediate: try file.size(
        "intermediate_size", atMost: 1 << 19, default: usual(file, 22_016)),
      normEpsilon: Float(try file.number("rms_norm_eps") ?? 1e-6))
  }

  private static func ownsEmbedding(_ settings: ConfigurationFile) throws -> Bool {
    guard let owns = try settings.bool("own_embedding") else {
      throw settings.problem(
        "\(settings.name(of: "own_embedding")) is missing; add true if the weights hold "
          + "embed_tokens.weight, or else false")
    }
    return owns
  }

  /// The size of the draft vocabulary; nil where it is the whole.
  private static func draftVocabulary(
    _ file: ConfigurationFile, _ dialect: DrafterDialect, _ vocabulary: Int
  ) throws -> Int? {
    let size = try file.optionalSize("draft_vocab_size", atMost: vocabulary)
    return dialect == .speculators && size == vocabulary ? nil : size
  }

  /// The sizes of a block, and its mask.
  private static func block(
    _ file: ConfigurationFile, _ settings: ConfigurationFile, vocabulary: Int
  ) throws -> (size: ClosedRange<Int>, mask: Token) {
    let mask = try settings.requiredInteger("mask_token_id")
    guard (0..<vocabulary).contains(mask) else {
      throw file.problem("'mask_token_id' \(mask) is outside the vocabulary")
    }
    let size = try settings.integer("block_size") ?? file.requiredInteger("block_size")
    guard (2...256).contains(size) else {
      throw file.problem("'block_size' is \(size), must be 2 to 256")
    }
    let shortest = try file.integer("min_block_size") ?? size
    guard (2...size).contains(shortest) else {
      throw file.problem("'min_block_size' is \(shortest), must be 2 to 'block_size' \(size)")
    }
    return (shortest...size, Token(mask))
  }
}

extension ConfigurationFile {
  /// A size from 1 to a limit.
  func size(
    _ key: String, atMost limit: Int = 1 << 24, default standard: Int? = nil
  ) throws -> Int {
    if let size = try optionalSize(key, atMost: limit) ?? standard { return size }
    throw problem("'\(key)' is missing; is this a drafter?")
  }

  /// A size from 1 to a limit, nil if absent.
  func optionalSize(_ key: String, atMost limit: Int) throws -> Int? {
    guard let size = try integer(key) else { return nil }
    guard size > 0, size <= limit else {
      throw problem("'\(key)' is \(size), must be 1 to \(limit)")
    }
    return size
  }
}
