import Files
import Tensors

extension ModelConfiguration {
  /// Checks that the numbers make a model: every size in its range, heads that divide, tokens in
  /// the vocabulary.
  ///
  /// The ranges are far beyond any dense model and keep every product of two sizes within `Int`.
  /// Messages use the names of `config.json`.
  ///
  /// - Parameter source: What the message begins with: the file, or what the user gave.
  /// - Throws: `SpeculateError` naming the setting, its value and what it must be.
  package func check(source: String = "the model configuration") throws {
    func problem(_ text: String) -> SpeculateError { SpeculateError("\(source): \(text)") }
    func check<T: Comparable>(_ name: String, _ value: T, _ range: ClosedRange<T>) throws {
      guard range.contains(value) else {
        throw problem(
          "\(family.key(name)) is \(value), but must be from \(range.lowerBound) to "
            + "\(range.upperBound)")
      }
    }
    try check("vocab_size", vocabularySize, 1...1 << 24)
    try check("hidden_size", hiddenSize, 1...1 << 17)
    try check("intermediate_size", intermediateSize, 1...1 << 20)
    try check("num_hidden_layers", layerCount, 1...1 << 12)
    try check("num_attention_heads", headCount, 1...1 << 12)
    try check("num_key_value_heads", keyValueHeadCount, 1...1 << 12)
    try check("head_dim", headDimension, 2...1 << 10)
    try check("max_position_embeddings", maximumContext, 1...1 << 30)
    guard headDimension % 2 == 0 else {
      throw problem(
        "\(family.key("head_dim")) is \(headDimension), but must be even for rotary embedding"
      )
    }
    guard headCount % keyValueHeadCount == 0 else {
      throw problem(
        "num_attention_heads is \(headCount), but must be a multiple of num_key_value_heads, "
          + "\(keyValueHeadCount)")
    }
    try check("rms_norm_eps", Double(normEpsilon), 0...1)
    try check("rope_theta", ropeTheta, 1...1e15)
    if let slidingWindow { try check("sliding_window", slidingWindow, 1...1 << 30) }
    guard windowedLayers.isEmpty || windowedLayers.count == layerCount else {
      throw problem(
        "layer_types names \(windowedLayers.count) layers, but num_hidden_layers is \(layerCount)")
    }
    guard family.windows.areMixed || windowedLayers.allSatisfy({ $0 }) else {
      throw problem("layer_types: full_attention beside a sliding window is not supported")
    }
    guard (0...1).contains(rotatedShare), rotatedDimension >= 2, rotatedDimension % 2 == 0 else {
      throw problem(
        "partial_rotary_factor is \(rotatedShare), but must rotate an even number of the "
          + "\(headDimension) values of a head")
    }
    for scaling in [ropeScaling, windowedRope?.scaling].compactMap(\.self) {
      if let complaint = scaling.complaint(pairs: rotatedDimension / 2) {
        throw problem("rope_scaling.\(complaint)")
      }
    }
    if let windowedRope { try check("rope_local_base_freq", windowedRope.theta, 1...1e15) }
    guard unrotatedLayers.isEmpty || unrotatedLayers.count == layerCount else {
      throw problem(
        "no_rope_layers names \(unrotatedLayers.count) layers, but num_hidden_layers is "
          + "\(layerCount)")
    }
    for (factor, value) in factors.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      try check(factor.rawValue, value, ModelFactor.range)
    }
    if let complaint = experts?.complaint(family, layerCount: layerCount) {
      throw problem(complaint)
    }
    try checkFamily(problem)
    for token in endTokens where !(0..<vocabularySize).contains(Int(token)) {
      throw problem("eos_token_id is \(token), but must be below vocab_size, \(vocabularySize)")
    }
    if let beginToken, !(0..<vocabularySize).contains(Int(beginToken)) {
      throw problem(
        "bos_token_id is \(beginToken), but must be below vocab_size, \(vocabularySize)")
    }
  }
  /// What `config.json` can't say for a family, the model must not be either.
  private func checkFamily(_ problem: (String) -> SpeculateError) throws {
    guard family.experts == nil || experts != nil else {
      throw problem("\(family.name) models have experts")
    }
    guard family.rotation.share != nil || rotatedShare == 1 else {
      throw problem("\(family.name) models rotate whole heads")
    }
    guard
      headNorms == family.headNorms || headNorms == .none && family.switches[.headNorms] != nil
    else {
      throw problem("\(family.name) models norm queries and keys otherwise")
    }
    guard
      flow == family.flow || flow == .sequential && family.switches[.parallelLayers] != nil
    else {
      throw problem("\(family.name) models have attention and feed-forward part in another order")
    }
    guard family.activations.contains(activation) else {
      throw problem("\(family.name) models have no activation \(activation.rawValue)")
    }
    if let factor = factors.keys.first(where: { family.factors[$0] == nil }) {
      throw problem("\(family.name) models have no \(factor.rawValue)")
    }
    guard windowedRope == nil || family.rotation.windowed != .same else {
      throw problem("\(family.name) models rotate all layers alike")
    }
    switch family.rotation.unrotated {
    case .none where !unrotatedLayers.isEmpty:
      throw problem("\(family.name) models rotate all layers")
    case .all where !unrotatedLayers.allSatisfy(\.self) || unrotatedLayers.isEmpty:
      throw problem("\(family.name) models rotate no layer")
    default: break
    }
    guard family.key("attention_bias") != family.key("mlp_bias") || attentionBias == mlpBias else {
      throw problem("\(family.key("mlp_bias")) is for all biases or none")
    }
    // One setting speaks of all biases in attention.
    guard family.inputBias.allows(attentionBias), family.feedForwardBias.allows(mlpBias),
      family.outputBias == .configured && family.inputBias == .configured
        ? outputBias == attentionBias : family.outputBias.allows(outputBias)
    else {
      throw problem("\(family.name) models can't have these biases (attention_bias, mlp_bias)")
    }
  }
}
