public import Foundation
internal import Tensors

extension DrafterConfiguration {
  /// Reads a drafter folder's `config.json`.
  ///
  /// - Throws: `SpeculateError` when the file is missing or isn't JSON, when it describes another
  ///   architecture, or when a value is missing or out of range.
  public init(directory: URL) throws {
    let url = directory.appendingPathComponent("config.json")
    let data: Data
    do {
      data = try Data(contentsOf: url)
    } catch {
      throw SpeculateError(
        "\(url.path): can't be read; --drafter wants a folder with config.json and "
          + "model.safetensors")
    }
    let file: File
    do {
      file = try JSONDecoder().decode(File.self, from: data)
    } catch DecodingError.keyNotFound(let key, _) {
      throw SpeculateError("\(url.path): '\(key.stringValue)' is missing; is this a drafter?")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context)
    {
      let key = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw SpeculateError("\(url.path): '\(key)' has the wrong type")
    } catch {
      throw SpeculateError("\(url.path): not valid JSON; copy the drafter again")
    }
    try self.init(file, path: url.path)
  }

  /// The content of `config.json`, in the layout of published DFlash drafters.
  public func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return try encoder.encode(File(self))
  }

  private init(_ file: File, path: String) throws {
    guard file.architectures == [File.architecture] else {
      let found = file.architectures.joined(separator: ", ")
      throw SpeculateError(
        "\(path): architecture '\(found)' is not a drafter; --drafter wants \(File.architecture)")
    }
    func positive(_ name: String, _ value: Int, atMost limit: Int = 1 << 24) throws -> Int {
      guard value > 0, value <= limit else {
        throw SpeculateError("\(path): '\(name)' is \(value), must be 1 to \(limit)")
      }
      return value
    }
    let heads = try positive("num_attention_heads", file.num_attention_heads, atMost: 4096)
    let keyValueHeads = try positive(
      "num_key_value_heads", file.num_key_value_heads ?? heads, atMost: heads)
    guard heads % keyValueHeads == 0 else {
      throw SpeculateError(
        "\(path): 'num_attention_heads' \(heads) is not a multiple of 'num_key_value_heads' "
          + "\(keyValueHeads)")
    }
    let dimension = try positive("head_dim", file.head_dim ?? 128, atMost: 1024)
    guard dimension % 2 == 0 else {
      throw SpeculateError("\(path): 'head_dim' is \(dimension), must be even")
    }
    let ropeTheta = file.rope_parameters?.rope_theta ?? file.rope_theta ?? 10_000
    guard file.rms_norm_eps > 0, ropeTheta > 0 else {
      throw SpeculateError("\(path): 'rms_norm_eps' and 'rope_theta' must be positive")
    }
    guard file.rope_scaling == nil,
      (file.rope_parameters?.rope_type ?? File.Rope.plain) == File.Rope.plain
    else {
      throw SpeculateError("\(path): rope scaling is not supported in drafters")
    }
    let targetLayerCount = try positive("num_target_layers", file.num_target_layers, atMost: 4096)
    let vocabulary = try positive("vocab_size", file.vocab_size)
    let layers = try positive("num_hidden_layers", file.num_hidden_layers, atMost: 256)
    let targetLayers = file.dflash_config.target_layer_ids
    guard !targetLayers.isEmpty, targetLayers.count <= targetLayerCount,
      targetLayers.allSatisfy({ (0..<targetLayerCount).contains($0) })
    else {
      throw SpeculateError(
        "\(path): 'target_layer_ids' \(targetLayers) must name layers 0 to \(targetLayerCount - 1)")
    }
    guard (0..<vocabulary).contains(file.dflash_config.mask_token_id) else {
      throw SpeculateError(
        "\(path): 'mask_token_id' \(file.dflash_config.mask_token_id) is outside the vocabulary")
    }
    guard (2...256).contains(file.block_size) else {
      throw SpeculateError("\(path): 'block_size' is \(file.block_size), must be 2 to 256")
    }
    self.init(
      blockSize: file.block_size, maskToken: Token(file.dflash_config.mask_token_id),
      targetLayers: targetLayers, targetLayerCount: targetLayerCount, vocabularySize: vocabulary,
      layerCount: layers,
      shape: LayerShape(
        hidden: try positive("hidden_size", file.hidden_size, atMost: 1 << 17), heads: heads,
        keyValueHeads: keyValueHeads, headDimension: dimension,
        intermediate: try positive("intermediate_size", file.intermediate_size, atMost: 1 << 19),
        normEpsilon: file.rms_norm_eps),
      ropeTheta: ropeTheta,
      maximumContext: try positive(
        "max_position_embeddings", file.max_position_embeddings, atMost: 1 << 26),
      draftVocabularySize: try file.draft_vocab_size.map {
        try positive("draft_vocab_size", $0, atMost: vocabulary)
      },
      markovRank: try file.markov_rank.map { try positive("markov_rank", $0, atMost: 4096) })
  }

  /// The file's layout; names are the format's.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  private struct File: Codable {
    static let architecture = "DFlashDraftModel"

    struct Block: Codable {
      var mask_token_id: Int
      var target_layer_ids: [Int]
    }
    /// Where transformers 5 puts what used to be `rope_theta` and `rope_scaling`.
    struct Rope: Codable {
      static let plain = "default"
      var rope_theta: Double?
      var rope_type: String?
    }
    struct Unsupported: Codable {}

    var architectures: [String]
    var model_type: String?
    var block_size: Int
    var dflash_config: Block
    var num_target_layers: Int
    var vocab_size: Int
    var hidden_size: Int
    var intermediate_size: Int
    var num_hidden_layers: Int
    var num_attention_heads: Int
    var num_key_value_heads: Int?
    var head_dim: Int?
    var rms_norm_eps: Float
    var rope_theta: Double?
    var rope_scaling: Unsupported?
    var rope_parameters: Rope?
    var max_position_embeddings: Int
    var draft_vocab_size: Int?
    var markov_rank: Int?

    init(_ c: DrafterConfiguration) {
      architectures = [Self.architecture]
      model_type = "qwen3"
      block_size = c.blockSize
      dflash_config = Block(
        mask_token_id: Int(c.maskToken), target_layer_ids: c.targetLayers)
      num_target_layers = c.targetLayerCount
      vocab_size = c.vocabularySize
      hidden_size = c.shape.hidden
      intermediate_size = c.shape.intermediate
      num_hidden_layers = c.layerCount
      num_attention_heads = c.shape.heads
      num_key_value_heads = c.shape.keyValueHeads
      head_dim = c.shape.headDimension
      rms_norm_eps = c.shape.normEpsilon
      rope_theta = c.ropeTheta
      max_position_embeddings = c.maximumContext
      draft_vocab_size = c.draftVocabularySize
      markov_rank = c.markovRank
    }
  }
}
