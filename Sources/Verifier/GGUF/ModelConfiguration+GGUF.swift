package import Files
internal import Foundation
import Tensors

extension ModelConfiguration {
  /// Reads the metadata of a GGUF model.
  ///
  /// - Throws: `SpeculateError` naming the file and the key that is wrong, or the architecture or
  ///   feature that is not supported.
  package init(_ file: GGUFFile) throws {
    var settings = try GGUFSettings(file)
    let architecture = try GGUFArchitecture.of(settings)
    let hiddenSize = try settings.requiredInteger("embedding_length")
    let headCount = try settings.requiredInteger("attention.head_count")
    guard headCount > 0, hiddenSize > 0 else {
      throw settings.problem("embedding_length and attention.head_count must be above 0")
    }
    let rotatesPart = architecture.family.rotation.share != nil
    let headDimension =
      try settings.integer("attention.key_length")
      ?? (rotatesPart ? nil : settings.integer("rope.dimension_count")) ?? hiddenSize / headCount
    let values = try settings.integer("attention.value_length") ?? headDimension
    guard values == headDimension else {
      throw settings.problem(
        "heads have \(headDimension) values in keys, but \(values) in values, which is not supported"
      )
    }
    let rotated = try settings.integer("rope.dimension_count") ?? headDimension
    guard rotated == headDimension || rotatesPart else {
      throw settings.problem(
        "rope.dimension_count is \(rotated), but only whole heads of \(headDimension) are rotated; "
          + "the model is not supported")
    }
    guard let table = file.tensor(GGUFArchitecture.embedding), table.shape.count == 2 else {
      throw settings.problem(
        "there is no tensor \(quoted(GGUFArchitecture.embedding)); the file is no whole model")
    }
    let theta = try settings.number("rope.freq_base") ?? 10_000
    let scaling = try Self.scaling(
      &settings, file, rotated: rotated, theta: theta, truncatesYarn: architecture.truncatesYarn)
    func has(_ role: LayerTensor) -> Bool {
      file.tensor(architecture.name(of: role, layer: 0)) != nil
    }
    var family = architecture.family
    // Converters have added it.
    if family.norm.scale == .onePlusStored { family.norm.scale = .stored }
    if family.headNorm.scale == .onePlusStored { family.headNorm.scale = .stored }
    let layerCount = try settings.requiredInteger("block_count")
    let window = try Self.window(&settings, family, layerCount: layerCount)
    let epsilon = family.norm.kind == .layer ? "layer_norm_epsilon" : "layer_norm_rms_epsilon"
    let tokens = GGUFTokens(file, vocabularySize: table.shape[0])
    self.init(
      family: family, vocabularySize: table.shape[0], hiddenSize: hiddenSize,
      intermediateSize: try settings.requiredInteger("feed_forward_length"),
      layerCount: layerCount, headCount: headCount,
      keyValueHeadCount: try settings.integer("attention.head_count_kv"),
      headDimension: headDimension,
      normEpsilon: Float(
        try settings.number("attention.\(epsilon)") ?? family.defaults.normEpsilon),
      ropeTheta: theta, ropeScaling: scaling,
      rotatedShare: Double(rotated) / Double(headDimension),
      tiesEmbeddings: file.tensor(GGUFArchitecture.head) == nil,
      maximumContext: try settings.requiredInteger("context_length"),
      attentionBias: has(.queryBias) || file.tensor(GGUFArchitecture.fusedBias) != nil,
      outputBias: has(.outputBias), mlpBias: has(.upBias) || has(.expertUpBias(0)),
      slidingWindow: window.size, windowedLayers: window.layers, endTokens: tokens.end,
      beginToken: tokens.begin)
    if family.switches[.headNorms] != nil {
      headNorms = has(.queryNorm) ? family.headNorms : .none
    }
    if let standard = family.switches[.parallelLayers] {
      let isParallel = try settings.flag("use_parallel_residual") ?? standard
      flow = isParallel ? family.flow : .sequential
    }
    let layers = 0..<max(0, min(layerCount, 1 << 12))
    switch family.rotation.unrotated {
    case .seeingAll: unrotatedLayers = layers.map { !usesWindow(layer: $0) }
    case .withoutWindow where slidingWindow != nil:
      unrotatedLayers = layers.map { !usesWindow(layer: $0) }
    case .listed(let every):
      // Files have no key for it.
      let unrotated = layers.map { ($0 + 1) % every == 0 }
      unrotatedLayers = unrotated.contains(true) ? unrotated : []
    default: break
    }
    if case .own(let base) = family.rotation.windowed {
      windowedRope = WindowedRope(
        theta: try settings.number("rope.freq_base_swa") ?? base ?? theta)
    }
    for factor in family.factors.keys {
      guard let key = factor.metadataKey, let value = try settings.number(key) else { continue }
      factors[factor] = value
    }
    if family.factors[.queryScalar] != nil {
      // Files have no key for it: it is the width of a head but in the largest model of a family.
      factors[.queryScalar] = Double(
        architecture.dividesByHeads(layerCount) ? hiddenSize / headCount : headDimension)
    }
    experts = try Self.experts(&settings, architecture, file, layerCount: layerCount)
    for key in ["vocab_size", "expert_count", "expert_used_count"] { settings.ignore(key) }
    try settings.finish()
    try check(source: file.url.path)
  }

  /// The window of a family's layers, and which of them have it.
  private static func window(
    _ settings: inout GGUFSettings, _ family: ModelFamily, layerCount: Int
  ) throws -> (size: Int?, layers: [Bool]) {
    guard family.windows != .none else { return (nil, []) }
    let size = try settings.integer("attention.sliding_window") ?? 0
    guard size != 0 else { return (nil, []) }
    guard case .pattern(let usual) = family.windows else { return (size, []) }
    let pattern = "attention.sliding_window_pattern"
    let isNumber = settings.file.metadata[settings.name(of: pattern)]?.integer != nil
    let every = isNumber ? try settings.requiredInteger(pattern) : usual
    guard every > 0 else { throw settings.problem("\(pattern) is \(every), but must be above 0") }
    var layers = (0..<max(0, min(layerCount, 1 << 12))).map { ($0 + 1) % every != 0 }
    if !isNumber, let own = try settings.flags(pattern) {
      guard own.count == layerCount else {
        throw settings.problem(
          "\(pattern) has \(own.count) values for \(layerCount) layers")
      }
      layers = own
    }
    return (size, layers.contains(false) ? layers : [])
  }

  private static func scaling(
    _ settings: inout GGUFSettings, _ file: GGUFFile, rotated: Int, theta: Double,
    truncatesYarn: Bool
  ) throws -> RopeScaling {
    let factor = try settings.number("rope.scaling.factor")
    let original = try settings.integer("rope.scaling.original_context_length")
    let attentionFactor = try settings.number("rope.scaling.attn_factor")
    settings.ignore("rope.scaling.finetuned")
    if file.tensor(GGUFArchitecture.shortFactors) != nil {
      guard let original else {
        throw settings.problem(
          "rope.scaling.original_context_length is missing, which "
            + "\(quoted(GGUFArchitecture.shortFactors)) needs; convert the model again")
      }
      _ = try settings.text("rope.scaling.type")
      return .longrope(
        LongRopeScaling(
          shortFactors: try divisors(
            settings, file, GGUFArchitecture.shortFactors, rotated: rotated),
          longFactors: try divisors(settings, file, GGUFArchitecture.longFactors, rotated: rotated),
          originalContext: original, factor: 1, magnitude: attentionFactor ?? 1))
    }
    let type = try settings.text("rope.scaling.type") ?? "none"
    switch type {
    case "none": break
    case "linear":
      guard let factor else {
        throw settings.problem("rope.scaling.type is linear, but rope.scaling.factor is missing")
      }
      return .linear(factor: factor)
    case "yarn":
      guard let factor, let original else {
        throw settings.problem(
          "rope.scaling.type is yarn, but rope.scaling.factor or original_context_length is missing"
        )
      }
      var yarn = YarnScaling(factor: factor, originalContext: original)
      yarn.magnitude *= attentionFactor ?? 1
      yarn.betaFast = try settings.number("rope.scaling.yarn_beta_fast") ?? yarn.betaFast
      yarn.betaSlow = try settings.number("rope.scaling.yarn_beta_slow") ?? yarn.betaSlow
      yarn.truncates = truncatesYarn
      return .yarn(yarn)
    default:
      throw settings.problem(
        "rope scaling of type \(quoted(type)) is not supported; only none, linear and yarn are")
    }
    guard file.tensor(GGUFArchitecture.ropeDivisors) != nil else { return .none }
    return try dividedScaling(&settings, file, rotated: rotated, theta: theta)
  }

  /// What frequencies are divided by, as a tensor says.
  private static func divisors(
    _ settings: GGUFSettings, _ file: GGUFFile, _ name: String, rotated: Int
  ) throws -> [Double] {
    let tensor = file.tensor(name)
    guard let tensor, tensor.type == .f32, tensor.shape == [rotated / 2], rotated > 1 else {
      throw settings.problem(
        "tensor \(quoted(name)) is \(tensor.map { "\($0.type) of shape \($0.shape)" } ?? "missing"), but "
          + "F32 of shape \([rotated / 2]) is needed")
    }
    return try file.withBytes(of: name) { bytes in
      (0..<rotated / 2).map {
        Double(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self))
      }
    }
  }

  /// What a tensor says that divides frequencies: as Llama 3 is published, with several factors, or anything
  /// else as it is.
  private static func dividedScaling(
    _ settings: inout GGUFSettings, _ file: GGUFFile, rotated: Int, theta: Double
  ) throws -> RopeScaling {
    let name = GGUFArchitecture.ropeDivisors
    let divisors = try divisors(settings, file, name, rotated: rotated)
    let range = 1e-6...1e6
    if let wrong = divisors.first(where: { !range.contains($0) }) {
      throw settings.problem(
        "tensor \(quoted(name)) holds \(wrong), but divisors must be from \(range.lowerBound) to "
          + "\(range.upperBound)")
    }
    let scaling = RopeScaling.llama3(
      factor: divisors.max() ?? 1, lowFrequencyFactor: 1, highFrequencyFactor: 4,
      originalContext: 8192)
    let plain = RopeScaling.none.frequencies(dimension: rotated, theta: theta)
    let stretched = scaling.frequencies(dimension: rotated, theta: theta)
    let isLlama3 = zip(divisors, zip(plain, stretched)).allSatisfy { divisor, step in
      abs(divisor * step.1 / step.0 - 1) < 1e-4
    }
    return isLlama3
      ? scaling
      : .longrope(
        LongRopeScaling(
          shortFactors: divisors, longFactors: divisors,
          originalContext: try settings.requiredInteger("context_length"), factor: 1))
  }
}

/// The begin and end tokens of a GGUF model.
struct GGUFTokens {
  let begin: Token?
  let end: [Token]

  /// What models call tokens that end a text or a turn.
  private static let endings: Set<String> = [
    "<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>",
    "<|end_of_text|>", "<EOT>", "</s>", "_<EOT>", "<|end_of_turn|>",
  ]

  init(_ file: GGUFFile, vocabularySize: Int) {
    func token(_ key: String) -> Token? {
      file.metadata["tokenizer.ggml.\(key)"]?.integer.flatMap {
        $0 >= 0 && $0 < vocabularySize ? Token(exactly: $0) : nil
      }
    }
    begin = token("bos_token_id")
    var end = ["eos_token_id", "eot_token_id", "eom_token_id"].compactMap(token)
    let names = file.metadata["tokenizer.ggml.tokens"]?.array?.strings ?? []
    let types = file.metadata["tokenizer.ggml.token_type"]?.array?.integers ?? []
    for (id, (name, type)) in zip(names, types).enumerated() {
      guard type == 3 || type == 4, Self.endings.contains(name), id < vocabularySize,
        let token = Token(exactly: id)
      else { continue }
      end.append(token)
    }
    var seen: Set<Token> = []
    self.end = end.filter { seen.insert($0).inserted }
  }
}
