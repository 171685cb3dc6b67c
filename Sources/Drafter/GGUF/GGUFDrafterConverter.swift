package import Files
package import Foundation
package import Tensors

/// Writes a block drafter's folder as a GGUF file of the architecture `dflash` (docs/gguf.md).
package struct GGUFDrafterConverter {
  package let types: GGUFTypes
  package let plan: GGUFPlan
  /// Bytes of the weights as the folder stores them.
  package let sourceBytes: Int

  /// Plans a file, and checks that its readers will see the same drafter.
  ///
  /// - Parameters:
  ///   - name: What the file calls the drafter.
  ///   - tokenizer: The metadata of its target's tokenizer, if it goes into the file.
  ///   - head: The rows of its target's head for the draft vocabulary, [choices][hidden], if they go into the
  ///     file; a drafter that has a head or drafts the whole vocabulary needs none.
  /// - Throws: `SpeculateError` naming what a GGUF file can't say about the drafter.
  package init(
    directory: URL, type: GGUFTensorType, name: String,
    tokenizer: [(key: String, value: GGUFValue)], head: FloatBuffer? = nil
  ) throws {
    let checkpoint = try Checkpoint(directory: directory)
    var drafter = try DrafterConfiguration(directory: directory).owning(checkpoint)
    guard drafter.kind == .conditioned else {
      throw SpeculateError(
        "\(directory.path): GGUF files have no architecture for drafters that see tokens alone; "
          + "only those that see the target's features are written")
    }
    let places = DrafterPlaces.places(of: drafter)
    var conversions: [GGUFConversion] = []
    if let head, !drafter.ownsHead, drafter.draftVocabularySize != nil {
      drafter.ownsHead = true
      if let tensor = drafter.layout.head, let place = places[tensor.name] {
        conversions.append(GGUFConversion(TensorOrigin(tensor, head), to: place, type: type))
      }
    }
    var extras: [GGUFPlan.Extra] = []
    var bytes = 0
    for tensorName in checkpoint.names {
      bytes += checkpoint.byteCount(of: tensorName) ?? 0
      if tensorName == drafter.layout.draftVocabulary?.name {
        // Loading checks them.
        let tokens = try BlockDrafter(directory: directory).draftVocabulary ?? []
        extras.append(
          GGUFPlan.Extra(DrafterPlaces.draftVocabulary, integers: tokens.map(Int.init)))
        continue
      }
      if tensorName == BlockDrafter.reverseVocabulary, drafter.draftVocabularySize != nil {
        continue
      }
      guard let place = places[tensorName] else {
        throw SpeculateError(
          "\(directory.path): tensor \(quoted(tensorName)) has no place in a GGUF file")
      }
      let origin = try TensorOrigin(tensorName, in: checkpoint)
      // One row of weights is no matrix worth rounding.
      let isMatrix = origin.shape.count == 2 && origin.rows > 1
      conversions.append(GGUFConversion(origin, to: place, type: isMatrix ? type : .f32))
    }
    types = GGUFTypes(layers: type, head: type)
    sourceBytes = bytes
    plan = GGUFPlan(
      architecture: DrafterPlaces.architecture, name: name, types: types,
      metadata: Self.metadata(of: drafter)
        + (tokenizer.isEmpty ? [("tokenizer.ggml.model", .string("none"))] : tokenizer)
        + [("tokenizer.ggml.mask_token_id", .uint32(UInt32(drafter.maskToken)))],
      conversions, extras: extras)
    let read = try DrafterConfiguration(plan.outline(at: directory))
    var rounded = drafter
    // The file has them in f32.
    if abs(read.ropeTheta / drafter.ropeTheta - 1) < 1e-6 { rounded.ropeTheta = read.ropeTheta }
    guard read == rounded else {
      throw SpeculateError(
        "\(directory.path): a GGUF file can't say this drafter's \(Self.difference(read, rounded)); "
          + "keep the folder")
    }
  }

  private static func difference(_ one: DrafterConfiguration, _ two: DrafterConfiguration) -> String
  {
    if one.ropeScaling != two.ropeScaling { return "rope_scaling" }
    if one.heads != two.heads { return "heads" }
    if one.ropeTheta != two.ropeTheta { return "rope_theta" }
    if one.reaches != two.reaches { return "windows, which its blocks are causal in" }
    return "sizes"
  }

  private static func metadata(
    of drafter: DrafterConfiguration
  ) -> [(key: String, value: GGUFValue)] {
    let shape = drafter.shape
    var settings: [(key: String, value: GGUFValue)] = []
    func add(_ key: String, _ value: GGUFValue) {
      settings.append(("\(DrafterPlaces.architecture).\(key)", value))
    }
    func add(_ key: String, _ number: Int) { add(key, .uint32(UInt32(clamping: number))) }
    add("vocab_size", drafter.vocabularySize)
    add("context_length", drafter.maximumContext)
    add("embedding_length", shape.hidden)
    add("block_count", drafter.layerCount)
    add("feed_forward_length", shape.intermediate)
    add("attention.head_count", shape.heads)
    add("attention.head_count_kv", shape.keyValueHeads)
    add("attention.key_length", shape.headDimension)
    add("attention.value_length", shape.headDimension)
    add("attention.layer_norm_rms_epsilon", .float32(shape.normEpsilon))
    add("attention.causal", .bool(drafter.isCausal))
    if let window = drafter.reaches.lazy.compactMap(\.window).first {
      add("attention.sliding_window", window)
      add(
        "attention.sliding_window_pattern",
        .array(GGUFArray(drafter.reaches.map { .bool($0.window != nil) }, of: .bool)))
    }
    if let convolution = drafter.convolution {
      add("conv_kernel_size", convolution.taps)
      add("conv_group_size", convolution.group)
    }
    if let selector = drafter.heads.first(CandidateSelectorConfiguration.self) {
      add("selector_rank", selector.rank)
      add("selector_top_k", selector.candidates)
    }
    let factors = drafter.factors
    if factors.embedding != 1 { add("embedding_scale", .float32(factors.embedding)) }
    if factors.logits != 1 { add("logit_scale", .float32(factors.logits)) }
    if let cap = factors.cap { add("final_logit_softcapping", .float32(cap)) }
    add("rope.dimension_count", shape.headDimension)
    add("rope.freq_base", .float32(Float(drafter.ropeTheta)))
    if case .linear(let factor) = drafter.ropeScaling {
      add("rope.scaling.type", .string("linear"))
      add("rope.scaling.factor", .float32(Float(factor)))
    }
    add("block_size", drafter.blockSize)
    add("sample_from_anchor", .bool(drafter.samplesAnchor))
    add(
      "target_layers",
      .array(
        GGUFArray(drafter.targetLayers.map { .uint32(UInt32($0 + 1)) }, of: .uint32)))
    // Our own; other programs don't ask for them.
    add("target_layer_count", drafter.targetLayerCount)
    if drafter.shortestBlock < drafter.blockSize { add("min_block_size", drafter.shortestBlock) }
    return settings
  }
}
