import Drafter
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// Published ways to write a drafter's configuration, and what each means.
@Suite struct DrafterDialectTests {
  private static func text(_ name: String) throws -> String {
    try String(
      contentsOf: ReferenceDrafter(name: name).directory.appending(path: "config.json"),
      encoding: .utf8)
  }

  /// What reading a fixture's configuration gives after a change.
  private static func read(
    _ name: String, changing old: String = "", to new: String = ""
  ) throws -> DrafterConfiguration {
    let folder = try TemporaryFolder()
    let text = try text(name)
    #expect(old.isEmpty || text.contains(old), "\(name) has no \(old)")
    try folder.write(text.replacing(old, with: new).utf8, to: "config.json")
    do {
      return try DrafterConfiguration(directory: folder.url)
    } catch let error as SpeculateError {
      throw SpeculateError("\(error)".replacing(folder.url.path + "/config.json", with: "FILE"))
    }
  }

  @Test(arguments: ReferenceDrafter.names)
  func rowsMeanWhatTheirProjectsMean(name: String) throws {
    let read = try Self.read(name)
    let samples = ReferenceDrafter(name: name).samplesAnchor
    #expect(read.samplesAnchor == samples && read.isCausal == (name == "jetspec"))
    #expect(read.maximumDrafts == 5 && read.blockSize == (samples ? 5 : 6))
    #expect(read.rows(drafting: 2) == (name == "jetspec" ? 3 : read.blockSize))
  }

  /// Layers are counted by their outputs here and in z-lab's files, by their inputs in speculators'.
  @Test func layersAreCountedByTheirOutputs() throws {
    #expect(try Self.read("deepspec").targetLayers == [1, 4])
    let speculators = try Self.read("speculators")
    #expect(speculators.targetLayers == [2, 5] && speculators.targetLayerCount == 0)
    #expect(try Self.text("speculators").contains("3,\n    6"))
  }

  @Test func whoSamplesTheAnchorIsUpToTheFileAndElseTheProject() throws {
    let flag = #""sample_from_anchor": "#
    #expect(
      try !Self.read("speculators-dspark", changing: flag + "true", to: flag + "false")
        .samplesAnchor)
    #expect(
      try Self.read("speculators-dspark", changing: flag + "true,", to: #""x": 1,"#).samplesAnchor)
    #expect(try !Self.read("speculators", changing: flag + "false,", to: #""x": 1,"#).samplesAnchor)
    #expect(try Self.read("speculators", changing: flag + "false", to: flag + "true").samplesAnchor)
    let old = #""mask_token_id": 63"#
    #expect(try Self.read("jetspec", changing: old, to: old + ", " + flag + "true").samplesAnchor)
  }

  /// `block_size` moved into `dflash_config`, and the base of rope into `rope_parameters`.
  @Test func newerFilesAreRead() throws {
    let block = #""block_size": 6,"#
    let mask = #""mask_token_id": 63,"#
    let folder = try TemporaryFolder()
    let text = try Self.text("two-layer")
    try folder.write(
      text.replacing(block, with: "").replacing(mask, with: mask + #" "block_size": 4,"#).utf8,
      to: "config.json")
    #expect(try DrafterConfiguration(directory: folder.url).blockSize == 4)
    #expect(
      try Self.read(
        "two-layer", changing: #""rope_parameters""#, to: #""rope_theta": 9, "rope_parameters""#
      )
      .ropeTheta == 500)
  }

  /// z-lab's choice of layers where a file has none; halves are rounded to even numbers.
  @Test(arguments: [
    (36, 5, [1, 9, 17, 25, 33]), (28, 3, [1, 13, 25]), (8, 2, [1, 5]), (9, 3, [1, 4, 6]),
    (6, 1, [3]),
  ])
  func layersThatAreNotNamed(target: Int, layers: Int, expected: [Int]) throws {
    let folder = try TemporaryFolder()
    var text = try Self.text("one-layer")
    text = text.replacing(
      /"target_layer_ids": \[[^\]]*\]/, with: #""unused": 0"#
    ).replacing(#""num_target_layers": 6"#, with: #""num_target_layers": \#(target)"#)
      .replacing(#""num_hidden_layers": 1"#, with: #""num_hidden_layers": \#(layers)"#)
      .replacing(/"layer_types": \[[^\]]*\],/, with: "")
    try folder.write(text.utf8, to: "config.json")
    #expect(try DrafterConfiguration(directory: folder.url).targetLayers == expected)
  }

  /// speculators leaves out what is Qwen 3's default.
  @Test func defaultsOfSpeculatorsAreQwens() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      #"""
      {"speculators_model_type": "dflash", "architectures": ["DFlashDraftModel"], "block_size": 8,
       "aux_hidden_state_layer_ids": [2, 18], "mask_token_id": 151669, "draft_vocab_size": 151936,
       "transformer_layer_config": {"num_hidden_layers": 2, "model_type": "qwen3"}}
      """#.utf8, to: "config.json")
    let read = try DrafterConfiguration(directory: folder.url)
    #expect(read.vocabularySize == 151_936 && read.draftVocabularySize == nil)
    #expect(read.shape.hidden == 4096 && read.shape.heads == 32 && read.shape.keyValueHeads == 32)
    #expect(read.shape.headDimension == 128 && read.shape.intermediate == 22_016)
    #expect(read.maximumContext == 32_768 && read.ropeTheta == 10_000 && !read.samplesAnchor)
  }

  @Test(arguments: [
    (
      "speculators", #""dflash""#, #""eagle3""#,
      "'speculators_model_type' \"eagle3\" is not supported"
    ),
    ("speculators", "transformer_layer_config", "other", "'transformer_layer_config' is missing"),
    (
      "speculators", "aux_hidden_state_layer_ids", "other",
      "'aux_hidden_state_layer_ids' is missing"
    ),
    ("speculators", "    3,\n    6", "0, 6", "must name layers 1 to 4096; the embedding's output"),
    ("speculators", #""mask_token_id""#, #""x""#, "mask_token_id is missing"),
    (
      "speculators", #""block_size""#, #""target_hidden_size": 48, "block_size""#,
      "'target_hidden_size' 48, a target of another width than the drafter's 24, is not supported"
    ),
    (
      "speculators", "full_attention", "sliding_attention",
      "'transformer_layer_config.layer_types': \"sliding_attention\" is not supported in drafters"
    ),
    ("deepspec", "Qwen3DSparkModel", "Gemma4DSparkModel", "Gemma 4's layers (architecture"),
    ("deepspec", #""vanilla""#, #""fir""#, "'markov_head_type' \"fir\" is not supported"),
    (
      "dflash-window", #""use_sliding_window": true"#, #""use_sliding_window": false"#,
      "'use_sliding_window' is not true"
    ),
    ("dflash-window", #""sliding_window": 5"#, #""x": 5"#, "'sliding_window' is missing"),
    ("dflash2", #""conv_kernel_size": 2,"#, "", "'dflash_config.conv_kernel_size' is missing"),
    ("dflash2", #""conv_group_size": 6"#, #""conv_group_size": 7"#, "no multiple of it"),
    (
      "dflash2", #""selector_rank": 8"#, #""selector_rank": -1"#,
      "'dflash_config.selector_rank' is -1"
    ),
    ("dflash2", #""selector_top_k": 5"#, #""selector_top_k": 0"#, "must be 1 to 1024"),
    (
      "dflash2", #""mask_token_id""#, #""is_causal": true, "mask_token_id""#,
      "'dflash_config.is_causal'"
    ),
    (
      "dflash2-window", #""output_multiplier": 0.5"#, #""output_multiplier": 0"#,
      "'dflash_config.output_multiplier' is 0.0, must be above 0"
    ),
    ("deepspec", "    1,\n    4", "-1, 4", "'target_layer_ids' [-1, 4] must name layers 0 to 7"),
    (
      "one-layer", "DFlashDraftModel", "DFlash2DraftModel",
      "'dflash_config.conv_kernel_size' is missing; is this a DFlash 2 drafter?"
    ),
  ])
  func whatIsNotSupportedIsNamed(name: String, old: String, new: String, complaint: String) throws {
    let error = #expect(throws: SpeculateError.self) {
      try Self.read(name, changing: old, to: new)
    }
    let text = try #require(error.map { "\($0)" })
    #expect(text.hasPrefix("FILE: ") && text.contains(complaint), "\(text)")
    #expect(!text.contains("\n"))
  }

  static let features: [(key: String, value: String, neutral: String)] = [
    ("is_neox_style", "false", "true"), ("use_swa", "true", "false"), ("causal", "true", "null"),
    ("swa_window_size", "64", "0"), ("shift_label", "true", "false"),
    ("rope_interleave", "true", "false"), ("partial_rotary_factor", "0.5", "1.0"),
    ("attn_logit_softcapping", "50", "0"), ("logit_scale", "0.5", "1"),
    ("logits_scaling", "8", "1"),
    ("embedding_multiplier", "12", "1"), ("residual_multiplier", "0.2", "1.0"),
    ("attention_value_scale", "0.5", "1"), ("attention_multiplier", "0.1", "null"),
    ("query_pre_attn_scalar", "256", "null"), ("projector_type", "\"mlp\"", "null"),
    ("attention_sinks", "true", "false"), ("use_attention_sinks", "true", "false"),
    ("sinks", "4", "0"), ("fused_qkv", "true", "false"), ("mlp_bias", "true", "false"),
    ("conv_kernel_size", "2", "0"), ("conv_group_size", "16", "null"),
    ("selector_rank", "256", "0"), ("selector_top_k", "16", "null"),
  ]

  /// Each setting that changes the computation is named, wherever it stands, unless it is off.
  @Test(arguments: features)
  func settingsThatChangeTheComputationAreNamed(
    feature: (key: String, value: String, neutral: String)
  ) throws {
    for (name, place, prefix) in [
      ("one-layer", #""block_size": 6"#, ""),
      ("one-layer", #""mask_token_id": 4"#, "dflash_config."),
      ("deepspec", #""block_size": 5"#, ""), ("speculators", #""block_size": 6"#, ""),
      ("speculators", #""head_dim": 10"#, "transformer_layer_config."),
    ] {
      func with(_ value: String) -> String { place + ", \"\(feature.key)\": " + value }
      let off = try Self.read(name, changing: place, to: with(feature.neutral))
      #expect(try off == Self.read(name))
      let error = #expect(throws: SpeculateError.self) {
        try Self.read(name, changing: place, to: with(feature.value))
      }
      let text = try #require(error.map { "\($0)" })
      #expect(
        text.hasPrefix("FILE: '\(prefix)\(feature.key)', ")
          && text.hasSuffix(" is not supported in drafters; use another drafter, or none"),
        "\(text)")
    }
  }

  /// What z-lab's files say is computed; in other layouts nobody knows what it would mean.
  @Test(arguments: [
    ("is_causal", "true"), ("final_logit_softcapping", "30.0"), ("output_multiplier", "2.0"),
    ("input_embedding_scale", "32"),
  ])
  func settingsOfOneLayoutAreNamedInOthers(key: String, value: String) throws {
    let place = #""mask_token_id": 4"#
    let block = #""block_size": 6"#
    let mine = try Self.read(
      "one-layer", changing: block, to: block + ", \"\(key)\": \(value)")
    if key == "is_causal" { #expect(mine.isCausal) }
    if key == "output_multiplier" { #expect(mine.factors == DrafterFactors(logits: 2)) }
    if key == "final_logit_softcapping" { #expect(mine.factors == DrafterFactors(cap: 30)) }
    if key == "input_embedding_scale" { #expect(mine.factors == DrafterFactors(embedding: 32)) }
    for name in ["deepspec", "speculators"] {
      let error = #expect(throws: SpeculateError.self) {
        try Self.read(name, changing: place, to: place + ", \"\(key)\": \(value)")
      }
      #expect("\(String(describing: error))".contains("'\(key)', "))
    }
  }

  /// Windows, and what they mean for the rows of a block where nothing is said about that.
  @Test func windowsAreReadByLayer() throws {
    let causal = try Self.read("dflash-window")
    #expect(causal.reaches == [LayerReach(), LayerReach(window: 5, isCausal: true)])
    #expect(!causal.isCausal && causal.rows(drafting: 2) == 6)
    let open = try Self.read("dflash2-window")
    #expect(open.reaches.map(\.window) == [7, nil, 7] && !open.reaches.contains { $0.isCausal })
    #expect(open.convolution == ConvolutionShape(taps: 3, group: 4) && open.isSecond)
    let all = try Self.read(
      "dflash2-window", changing: #""is_causal": false"#, to: #""is_causal": true"#)
    #expect(all.isCausal && !all.reaches.contains { $0.isCausal } && all.rows(drafting: 2) == 3)
  }

  /// Weights that the computation has no place for, such as fused projections and sinks, are named.
  @Test(arguments: [
    ("layers.0.self_attn.q_proj.weight", "layers.0.self_attn.qkv_proj.weig"),
    ("layers.0.self_attn.q_norm.weight", "layers.0.self_attn.sinks.weights"),
  ])
  func otherTensorsAreNamed(old: String, new: String) throws {
    let folder = try TemporaryFolder()
    let source = ReferenceDrafter(name: "one-layer").directory
    for name in ["config.json", "model.safetensors"] {
      var data = try Data(contentsOf: source.appending(path: name))
      if let place = data.firstRange(of: Data(old.utf8)) {
        data.replaceSubrange(place, with: Data(new.utf8))
      }
      try folder.write(data, to: name)
    }
    let error = #expect(throws: SpeculateError.self) { try BlockDrafter(directory: folder.url) }
    #expect("\(String(describing: error))".contains(old))
  }

  /// Frozen copies of the target's embedding and head are used where a file holds them.
  @Test func copiesOfTheTargetsAreUsed() throws {
    for name in ReferenceDrafter.names {
      let drafter = try BlockDrafter(directory: ReferenceDrafter(name: name).directory)
      let holds = ReferenceDrafter(name: name).holdsCopies
      #expect(
        drafter.configuration.ownsEmbedding == holds && drafter.configuration.ownsHead == holds)
    }
  }

  @Test func aDrafterIsToldByItsFile() throws {
    for name in ReferenceDrafter.names {
      let file = ReferenceDrafter(name: name).directory.appending(path: "config.json")
      #expect(try DrafterConfiguration.isMeant(by: ConfigurationFile(url: file)))
    }
  }
}
