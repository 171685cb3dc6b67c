import Drafter
import Files
import Foundation
import Tensors
import Testing

@Suite struct DrafterConfigurationTests {
  static let sample = DrafterConfiguration(
    blockSize: 6, maskToken: 3, targetLayers: [1, 4], targetLayerCount: 6, vocabularySize: 40,
    layerCount: 2,
    shape: LayerShape(
      hidden: 24, heads: 4, keyValueHeads: 2, headDimension: 6, intermediate: 40,
      normEpsilon: 1e-5),
    ropeTheta: 5e5, ropeScaling: .linear(factor: 2), maximumContext: 128,
    draftVocabularySize: 20, shortestBlock: 3,
    heads: DrafterHeads(ConfidenceHeadConfiguration(), MarkovHeadConfiguration(rank: 4)))

  /// A drafter that sees tokens alone.
  static let tokens: DrafterConfiguration = {
    var configuration = sample
    configuration.kind = .tokens
    configuration.ownsEmbedding = true
    (configuration.targetLayers, configuration.targetLayerCount) = ([], 0)
    return configuration
  }()

  /// A DFlash 2 drafter with everything that one may have.
  static let second: DrafterConfiguration = {
    var configuration = sample
    configuration.heads = DrafterHeads(
      CandidateSelectorConfiguration(rank: 4, candidates: 7), ConfidenceHeadConfiguration())
    configuration.convolution = ConvolutionShape(taps: 3, group: 8)
    configuration.reaches = [LayerReach(window: 9, isCausal: true), LayerReach()]
    configuration.factors = DrafterFactors(embedding: 1.5, logits: 0.1, cap: 12)
    return configuration
  }()

  /// What reading a sample gives after a change of one line of its `config.json`.
  static func read(
    _ sample: DrafterConfiguration = sample, changing old: String = "", to new: String = ""
  ) throws -> DrafterConfiguration {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let text = String(decoding: sample.encoded(), as: UTF8.self)
    #expect(old.isEmpty || text.contains(old), "the sample has no \(old)")
    try Data(text.replacing(old, with: new).utf8)
      .write(to: folder.appending(path: "config.json"))
    do {
      return try DrafterConfiguration(directory: folder)
    } catch let error as SpeculateError {
      throw SpeculateError("\(error)".replacing(folder.path + "/config.json", with: "FILE"))
    }
  }

  @Test func `what is written is read back`() throws {
    #expect(try Self.read() == Self.sample)
    #expect(try Self.read(Self.tokens) == Self.tokens)
    #expect(try Self.read(Self.second) == Self.second)
    for kind in MarkovHeadConfiguration.Kind.allCases {
      var configuration = Self.sample
      configuration.heads = DrafterHeads(MarkovHeadConfiguration(rank: 4, kind: kind))
      #expect(try Self.read(configuration) == configuration)
    }
    var open = Self.second
    open.reaches[0].isCausal = false
    (open.convolution, open.isCausal) = (nil, true)
    #expect(try Self.read(open) == open)
    (open.convolution, open.heads) = (Self.second.convolution, DrafterHeads())
    #expect(try Self.read(open) == open)
    #expect(!String(decoding: Self.tokens.encoded(), as: UTF8.self).contains("target_layer"))
  }

  @Test(arguments: [
    ("deer_config", "dflash_config", "'deer_config' is missing; is this a drafter?"),
    (#""own_embedding""#, #""x""#, "deer_config.own_embedding is missing; add true if"),
    (#""own_embedding": true"#, #""own_embedding": 1"#, "own_embedding is not true or false"),
    (#""mask_token_id": 3"#, #""mask_token_id": 40"#, "'mask_token_id' 40 is outside"),
    (#""block_size": 6"#, #""block_size": 300"#, "'block_size' is 300, must be 2 to 256"),
    ("DEERDraftModel", "DFlashDraftModel", "'dflash_config' is missing; is this a drafter?"),
    ("DEERDraftModel", "DEER", "wants DFlashDraftModel, DEERDraftModel, DFlash2DraftModel"),
  ])
  func `what can't be used of a drafter that sees tokens is named`(
    old: String, new: String, complaint: String
  ) throws {
    let error = #expect(throws: SpeculateError.self) {
      try Self.read(Self.tokens, changing: old, to: new)
    }
    let text = try #require(error.map { "\($0)" })
    #expect(text.hasPrefix("FILE: ") && text.contains(complaint), "\(text)")
    #expect(!text.contains("\n"))
  }

  @Test(arguments: [
    (#""rope_scaling": {"#, #""rope_parameters": { "rope_theta": 7, "type": "linear","#, 7.0),
    (#""rope_theta": 500000"#, #""unused": 1"#, 10_000.0),
  ])
  func `rotary settings of both generations`(old: String, new: String, theta: Double) throws {
    let read = try Self.read(changing: old, to: new)
    #expect(read.ropeTheta == theta && read.ropeScaling == .linear(factor: 2))
  }

  @Test(arguments: [
    ("DFlashDraftModel", "Qwen3ForCausalLM", "is not a drafter; ‘drafter’ wants DFlashDraftModel"),
    (#""dflash_config""#, #""other""#, "'dflash_config' is missing; is this a drafter?"),
    (#""block_size": 6"#, #""block_size": 1"#, "'block_size' is 1, must be 2 to 256"),
    (#""block_size": 6"#, #""block_size": "6""#, "block_size is not an integer; correct it"),
    (#""min_block_size": 3"#, #""min_block_size": 7"#, "'min_block_size' is 7, must be 2 to"),
    (#""mask_token_id": 3"#, #""mask_token_id": 40"#, "'mask_token_id' 40 is outside"),
    (#""num_target_layers": 6"#, #""num_target_layers": 4"#, "must name layers 0 to 3"),
    (#""head_dim": 6"#, #""head_dim": 7"#, "'head_dim' is 7, must be even"),
    (#""hidden_size": 24"#, #""hidden_size": -24"#, "'hidden_size' is -24, must be 1 to"),
    (#""vocab_size": 40"#, #""x": 40"#, "'vocab_size' is missing; is this a drafter?"),
    (#""silu""#, #""gelu""#, "'hidden_act' 'gelu' is not supported"),
    (
      #""attention_bias": false"#, #""attention_bias": true"#,
      "'attention_bias', biases in attention, is not"
    ),
    (#""linear""#, #""yarn2""#, "is not supported; only default, linear"),
    (
      #""model_type""#, #""layer_types": ["chunked_attention"], "x""#,
      "\"chunked_attention\" is not supported in drafters"
    ),
    (
      #""model_type""#, #""layer_types": ["sliding_attention", "full_attention"], "x""#,
      "'use_sliding_window' is not true"
    ),
    (#""model_type""#, #""layer_types": ["full_attention"], "x""#, "names 1 layers, but"),
    (
      #""model_type""#, #""use_sliding_window": true, "max_window_layers": 1, "x""#,
      "'sliding_window' is missing"
    ),
    (#""model_type""#, #""block_size": 6, "x""#, "block_size"),
    (
      #""confidence_head_with_markov": true"#, #""confidence_head_with_markov": false"#,
      "is supported as true only beside a Markov head"
    ),
    (#""markov_rank": 4"#, #""x": 4"#, "is supported as false only without a Markov head"),
    ("{", "[", "FILE: "),
  ])
  func `what can't be used is named`(old: String, new: String, complaint: String) throws {
    let error = #expect(throws: SpeculateError.self) { try Self.read(changing: old, to: new) }
    let text = try #require(error.map { "\($0)" })
    #expect(text.hasPrefix("FILE: ") && text.contains(complaint), "\(text)")
    #expect(!text.contains("\n"))
  }
}
