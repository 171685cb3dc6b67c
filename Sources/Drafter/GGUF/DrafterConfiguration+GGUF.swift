package import Files
import Tensors

extension DrafterConfiguration {
  /// Whether a GGUF file is a block drafter's.
  package static func isMeant(by file: GGUFFile) -> Bool {
    file.metadata["general.architecture"]?.text == DrafterPlaces.architecture
  }

  /// Reads the metadata of a GGUF file of the architecture `dflash`.
  ///
  /// - Throws: `SpeculateError` naming the file and the key that is missing, wrong, or changes what is
  ///   computed in a way that isn't supported.
  package init(_ file: GGUFFile) throws {
    var settings = try GGUFSettings(file)
    guard settings.architecture == DrafterPlaces.architecture else {
      throw settings.problem(
        "the architecture \(quoted(settings.architecture)) is no block drafter's; ‘drafter’ wants "
          + "\(DrafterPlaces.architecture), or a supported causal model")
    }
    func positive(_ key: String, atMost limit: Int) throws -> Int {
      let value = try settings.requiredInteger(key)
      guard (1...limit).contains(value) else {
        throw settings.problem("dflash.\(key) is \(value), but must be from 1 to \(limit)")
      }
      return value
    }
    try Self.refuseUnsupported(&settings)
    let hidden = try positive("embedding_length", atMost: 1 << 17)
    let queryHeads = try positive("attention.head_count", atMost: 4096)
    let keyValueHeads = try settings.integer("attention.head_count_kv") ?? queryHeads
    let dimension = try settings.integer("attention.key_length") ?? hidden / queryHeads
    let layers = try positive("block_count", atMost: 256)
    let context = try positive("context_length", atMost: 1 << 26)
    guard keyValueHeads > 0, queryHeads % keyValueHeads == 0 else {
      throw settings.problem(
        "dflash.attention.head_count \(queryHeads) is not a multiple of head_count_kv "
          + "\(keyValueHeads)")
    }
    guard (2...1024).contains(dimension), dimension % 2 == 0,
      try settings.integer("attention.value_length") ?? dimension == dimension,
      try settings.integer("rope.dimension_count") ?? dimension == dimension
    else {
      throw settings.problem(
        "dflash.attention.key_length is \(dimension), but must be even, up to 1024, and that of "
          + "values and of what is rotated")
    }
    let epsilon = try settings.number("attention.layer_norm_rms_epsilon") ?? 1e-6
    let theta = try settings.number("rope.freq_base") ?? 10_000
    guard epsilon > 0, epsilon <= 1, theta >= 1, theta <= 1e15 else {
      throw settings.problem("the epsilon of norms and rope.freq_base must be positive numbers")
    }
    let heads = try Self.heads(&settings)
    let convolution = try Self.convolution(&settings, hidden: hidden)
    let draftVocabulary = file.tensor(DrafterPlaces.draftVocabulary)?.shape.first
    let vocabulary = try Self.vocabulary(&settings)
    guard let mask = file.metadata["tokenizer.ggml.mask_token_id"]?.integer,
      (0..<vocabulary).contains(mask)
    else {
      throw settings.problem(
        "the metadata key \"tokenizer.ggml.mask_token_id\" is no token of the \(vocabulary) that "
          + "there are; convert the drafter again")
    }
    let block = try settings.requiredInteger("block_size")
    let shortest = try settings.integer("min_block_size") ?? block
    guard (2...256).contains(block), (2...block).contains(shortest) else {
      throw settings.problem("dflash.block_size is \(block), but must be from 2 to 256")
    }
    let layerCount = try settings.integer("target_layer_count") ?? 0
    // Counted from 1: the output of a layer is the input of the next.
    let taps = try settings.integers("target_layers") ?? []
    guard !taps.isEmpty, taps.count <= 4096, taps.allSatisfy({ (1...4096).contains($0) }),
      layerCount == 0 || taps.allSatisfy({ $0 <= layerCount })
    else {
      throw settings.problem("dflash.target_layers must name layers of the target, from 1 on")
    }
    self.init(
      blockSize: block, maskToken: Token(mask), targetLayers: taps.map { $0 - 1 },
      targetLayerCount: layerCount, vocabularySize: vocabulary, layerCount: layers,
      shape: LayerShape(
        hidden: hidden, heads: queryHeads, keyValueHeads: keyValueHeads, headDimension: dimension,
        intermediate: try positive("feed_forward_length", atMost: 1 << 19),
        normEpsilon: Float(epsilon)),
      ropeTheta: theta, ropeScaling: try Self.scaling(&settings), maximumContext: context,
      draftVocabularySize: draftVocabulary, shortestBlock: shortest,
      ownsEmbedding: file.tensor(DrafterPlaces.embedding) != nil, heads: heads)
    ownsHead = file.tensor(DrafterPlaces.head) != nil
    isCausal = try settings.flag("attention.causal") ?? false
    reaches = try Self.reaches(&settings, count: layers)
    self.convolution = convolution
    factors = try Self.factors(&settings)
    // Where nothing is said, only drafters with a Markov chain draft from the anchor's row.
    let isChained = file.tensor("markov_w1.weight") != nil
    samplesAnchor = try settings.flag("sample_from_anchor") ?? isChained
    try settings.finish()
  }

  /// Refuses what other drafters of the architecture compute.
  private static func refuseUnsupported(_ settings: inout GGUFSettings) throws {
    func refuse(_ key: String, unless neutral: [Double], _ meaning: String) throws {
      guard let value = try settings.number(key), !neutral.contains(value) else { return }
      throw settings.problem("dflash.\(key), \(meaning), is not supported in drafters")
    }
    try refuse("attention.value_scale", unless: [1], "scaled values")
    try refuse("attention.scale", unless: [], "another factor of scores")
    try refuse("hyper_connection.count", unless: [0], "hyper-connections")
    let activation = try settings.text("hidden_activation") ?? "silu"
    guard activation == "silu" else {
      throw settings.problem(
        "dflash.hidden_activation \(quoted(activation)) is not supported in drafters; only silu is")
    }
    _ = try settings.flag("has_confidence_head")
  }

  private static func heads(_ settings: inout GGUFSettings) throws -> DrafterHeads {
    var heads: [any BlockHeadConfiguration] = []
    let rank = try settings.size("selector_rank", 0...4096)
    let candidates = try settings.size("selector_top_k", 0...1024)
    if rank > 0 {
      guard candidates > 0 else {
        throw settings.problem("dflash.selector_top_k is missing; convert the drafter again")
      }
      heads.append(CandidateSelectorConfiguration(rank: rank, candidates: candidates))
    }
    if let tensor = settings.file.tensor("markov_w1.weight") {
      guard tensor.shape.count == 2, (1...4096).contains(tensor.shape[1]) else {
        throw settings.problem("tensor \"markov_w1.weight\" is no matrix of a rank up to 4096")
      }
      heads.append(MarkovHeadConfiguration(rank: tensor.shape[1]))
    }
    if settings.file.tensor("conf_proj.weight") != nil {
      heads.append(ConfidenceHeadConfiguration())
    }
    return DrafterHeads(heads)
  }

  private static func convolution(
    _ settings: inout GGUFSettings, hidden: Int
  ) throws -> ConvolutionShape? {
    let taps = try settings.size("conv_kernel_size", 0...64)
    let group = try settings.size("conv_group_size", 0...hidden)
    guard taps > 0 else { return nil }
    guard group > 0, hidden.isMultiple(of: group) else {
      throw settings.problem(
        "dflash.conv_group_size is \(group), but must divide embedding_length \(hidden)")
    }
    return ConvolutionShape(taps: taps, group: group)
  }

  private static func reaches(_ settings: inout GGUFSettings, count: Int) throws -> [LayerReach] {
    let window = try settings.size("attention.sliding_window", 0...1 << 26)
    let pattern = try settings.flags("attention.sliding_window_pattern")
    guard window > 0 else { return [] }
    guard let pattern, pattern.count == count else {
      throw settings.problem(
        "dflash.attention.sliding_window_pattern must say of \(count) layers which have a window")
    }
    return pattern.contains(true) ? pattern.map { LayerReach(window: $0 ? window : nil) } : []
  }

  private static func factors(_ settings: inout GGUFSettings) throws -> DrafterFactors {
    /// 0 means that there is none.
    func number(_ key: String) throws -> Float? {
      guard let number = try settings.number(key), number != 0 else { return nil }
      guard number > 0, number <= 1e6 else {
        throw settings.problem("dflash.\(key) is \(number), but must be above 0, up to 1e6")
      }
      return Float(number)
    }
    return DrafterFactors(
      embedding: try number("embedding_scale") ?? 1, logits: try number("logit_scale") ?? 1,
      cap: try number("final_logit_softcapping"))
  }

  private static func vocabulary(_ settings: inout GGUFSettings) throws -> Int {
    let file = settings.file
    let size =
      try settings.integer("vocab_size")
      ?? file.tensor("markov_w1.weight")?.shape.first
      ?? file.metadata["tokenizer.ggml.tokens"]?.array?.count ?? 0
    guard (1...1 << 24).contains(size) else {
      throw settings.problem("dflash.vocab_size is \(size), but must be from 1 to \(1 << 24)")
    }
    if let draft = file.tensor(DrafterPlaces.draftVocabulary)?.shape.first,
      !(1...size).contains(draft)
    {
      throw settings.problem("tensor \"d2t\" has \(draft) tokens, but must have 1 to \(size)")
    }
    return size
  }

  private static func scaling(_ settings: inout GGUFSettings) throws -> RopeScaling {
    let factor = try settings.number("rope.scaling.factor")
    switch try settings.text("rope.scaling.type") ?? "none" {
    case "none": return .none
    case "linear":
      guard let factor, factor >= 1, factor <= 1e6 else {
        throw settings.problem("dflash.rope.scaling.factor is missing or out of range")
      }
      return .linear(factor: factor)
    case let type:
      throw settings.problem(
        "dflash.rope.scaling.type \(quoted(type)) is not supported in drafters; only none and linear "
          + "are")
    }
  }
}

extension GGUFSettings {
  /// A size; 0 if it isn't there.
  fileprivate mutating func size(_ key: String, _ range: ClosedRange<Int>) throws -> Int {
    let value = try integer(key) ?? 0
    guard range.contains(value) else {
      throw problem(
        "\(name(of: key)) is \(value), but must be from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }
}
