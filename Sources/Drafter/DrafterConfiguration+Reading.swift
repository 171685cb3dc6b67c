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
    let kind = try Self.kind(file)

    let queryHeads = try file.size("num_attention_heads", atMost: 4096)
    let keyValueHeads = try file.size(
      "num_key_value_heads", atMost: queryHeads, default: queryHeads)
    guard queryHeads % keyValueHeads == 0 else {
      throw file.problem(
        "'num_attention_heads' \(queryHeads) is not a multiple of 'num_key_value_heads' "
          + "\(keyValueHeads)")
    }
    let dimension = try file.size("head_dim", atMost: 1024, default: 128)
    guard dimension % 2 == 0 else {
      throw file.problem("'head_dim' is \(dimension), must be even")
    }
    let maximumContext = try file.size("max_position_embeddings", atMost: 1 << 26)
    let rope = try RopeSettings(file, maximumContext: maximumContext)
    let epsilon = try file.number("rms_norm_eps") ?? 1e-6
    guard epsilon > 0, rope.theta > 0 else {
      throw file.problem("'rms_norm_eps' and 'rope_theta' must be positive")
    }
    let vocabulary = try file.size("vocab_size")
    let layers = try file.size("num_hidden_layers", atMost: 256)
    try Self.checkLayers(file, count: layers)
    let block = try Self.block(file, kind, vocabulary: vocabulary)
    let heads = try DrafterHeads(file)
    self.init(
      blockSize: block.size.upperBound, maskToken: block.mask,
      targetLayers: block.settings.targetLayers,
      targetLayerCount: block.settings.targetLayerCount, vocabularySize: vocabulary,
      layerCount: layers,
      shape: LayerShape(
        hidden: try file.size("hidden_size", atMost: 1 << 17), heads: queryHeads,
        keyValueHeads: keyValueHeads, headDimension: dimension,
        intermediate: try file.size("intermediate_size", atMost: 1 << 19),
        normEpsilon: Float(epsilon)),
      ropeTheta: rope.theta, ropeScaling: rope.scaling, maximumContext: maximumContext,
      draftVocabularySize: try file.optionalSize("draft_vocab_size", atMost: vocabulary),
      shortestBlock: block.size.lowerBound, kind: kind,
      ownsEmbedding: block.settings.ownsEmbedding, heads: heads)
  }

  private static func kind(_ file: ConfigurationFile) throws -> DrafterKind {
    let found = try file.texts("architectures") ?? []
    guard found.count == 1, let kind = DrafterKind(architecture: found[0]) else {
      throw file.problem(
        found.isEmpty
          ? "'architectures' is missing; is this a drafter?"
          : "architecture '\(found.joined(separator: ", "))' is not a drafter; ‘drafter’ wants "
            + DrafterKind.allCases.map(\.architecture).joined(separator: " or ")
            + ", or a supported causal model")
    }
    let activation = try file.text("hidden_act") ?? "silu"
    guard activation == "silu" || activation == "swish" else {
      throw file.problem("'hidden_act' '\(activation)' is not supported in drafters; only silu is")
    }
    if try file.bool("attention_bias") ?? false {
      throw file.problem("'attention_bias' is not supported in drafters")
    }
    return kind
  }

  /// Every layer must look at the whole context.
  private static func checkLayers(_ file: ConfigurationFile, count: Int) throws {
    let types = try file.texts("layer_types") ?? []
    if let type = types.first(where: { $0 != "full_attention" }) {
      throw file.problem("'layer_types': '\(type)' is not supported in drafters")
    }
    guard types.isEmpty || types.count == count else {
      throw file.problem(
        "'layer_types' names \(types.count) layers, but 'num_hidden_layers' is \(count); correct "
          + "one of them")
    }
    if try file.bool("use_sliding_window") ?? false {
      throw file.problem("'use_sliding_window' is not supported in drafters")
    }
  }

  /// The block, its mask, and what the kind's own settings say.
  private struct Block {
    var size: ClosedRange<Int>
    var mask: Token
    var settings: KindSettings
  }

  private static func block(
    _ file: ConfigurationFile, _ kind: DrafterKind, vocabulary: Int
  ) throws -> Block {
    guard let settings = try file.section(kind.settings) else {
      throw file.problem("'\(kind.settings)' is missing; is this a drafter?")
    }
    let mask = try settings.requiredInteger("mask_token_id")
    guard (0..<vocabulary).contains(mask) else {
      throw file.problem("'mask_token_id' \(mask) is outside the vocabulary")
    }
    let size = try file.requiredInteger("block_size")
    guard (2...256).contains(size) else {
      throw file.problem("'block_size' is \(size), must be 2 to 256")
    }
    let shortest = try file.integer("min_block_size") ?? size
    guard (2...size).contains(shortest) else {
      throw file.problem("'min_block_size' is \(shortest), must be 2 to 'block_size' \(size)")
    }
    return Block(
      size: shortest...size, mask: Token(mask), settings: try KindSettings(kind, file, settings))
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
