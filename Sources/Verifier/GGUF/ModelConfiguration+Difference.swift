import Files
import Tensors

extension ModelConfiguration {
  /// A setting that a file made of this configuration says otherwise, by its name in `config.json`; nil if
  /// the file's model computes the same.
  ///
  /// - Parameter other: What the file says.
  func difference(from other: ModelConfiguration) throws -> String? {
    var other = other
    // Files have scales whole.
    if family.norm.scale == .onePlusStored, other.family.norm.scale == .stored {
      other.family.norm.scale = .onePlusStored
    }
    if family.headNorm.scale == .onePlusStored, other.family.headNorm.scale == .stored {
      other.family.headNorm.scale = .onePlusStored
    }
    // Files have these in f32.
    if abs(other.ropeTheta / ropeTheta - 1) < 1e-6 { other.ropeTheta = ropeTheta }
    if other.ropeScaling.isClose(to: ropeScaling) { other.ropeScaling = ropeScaling }
    // Divisors by themselves don't say what they come from.
    if case .llama3 = ropeScaling, case .longrope(let long) = other.ropeScaling, long.isUniform,
      zip(frequencies, other.frequencies).allSatisfy({ abs($0 / $1 - 1) < 1e-6 })
    {
      other.ropeScaling = ropeScaling
    }
    // Where no layer has a window, nothing is rotated otherwise.
    if slidingWindow == nil, other.slidingWindow == nil { other.windowedRope = windowedRope }
    if let own = windowedRope, let read = other.windowedRope, own.scaling == read.scaling,
      abs(read.theta / own.theta - 1) < 1e-6
    {
      other.windowedRope = own
    }
    for (factor, value) in factors {
      if let read = other.factors[factor], abs(read - value) <= 1e-6 * abs(value) {
        other.factors[factor] = value
      }
    }
    if other.rotatedDimension == rotatedDimension { other.rotatedShare = rotatedShare }
    guard embeddingScale == other.embeddingScale else { return "embedding scale" }
    guard logitScale == other.logitScale, logitCap == other.logitCap else { return "logit scale" }
    guard positions?.shape == other.positions?.shape else { return "positions" }
    guard headBias?.shape == other.headBias?.shape else { return "bias of the head" }
    // A head beside a tied embedding is the same head.
    other.tiesEmbeddings = tiesEmbeddings
    let (mine, theirs) = (try Self.members(of: self), try Self.members(of: other))
    for key in Set(mine.keys).union(theirs.keys).sorted() where mine[key] != theirs[key] {
      return key
    }
    for layer in 0..<layerCount where design(ofLayer: layer) != other.design(ofLayer: layer) {
      return "layer \(layer)"
    }
    return endTokens.allSatisfy(other.endTokens.contains) ? nil : "eos_token_id"
  }

  /// Of layers without a rope of their own.
  private var frequencies: [Double] {
    ropeScaling.frequencies(dimension: rotatedDimension, theta: ropeTheta)
  }

  /// The members of `config.json` that say what is computed, without those that say nothing is special.
  private static func members(of configuration: ModelConfiguration) throws -> [String: JSONValue] {
    let names: Set = [
      "architectures", "model_type", "torch_dtype", quantizationKey, "eos_token_id",
      "position_embedding_type",
    ]
    let encoded = try JSONValue(
      parsing: String(decoding: configuration.encoded(), as: UTF8.self))
    return (encoded.members ?? [:]).filter { key, value in
      !names.contains(key) && value != .null && value != .bool(false)
        && !(key == "layer_types" || key == "max_window_layers")
    }
  }
}

extension RopeScaling {
  /// Whether both stretch frequencies alike, as far as f32 tells.
  fileprivate func isClose(to other: RopeScaling) -> Bool {
    func near(_ one: Double, _ two: Double) -> Bool { one == two || abs(one / two - 1) < 1e-6 }
    return switch (self, other) {
    case (.linear(let one), .linear(let two)): near(one, two)
    case (.yarn(let one), .yarn(let two)):
      one.originalContext == two.originalContext && one.truncates == two.truncates
        && near(one.factor, two.factor) && near(one.magnitude, two.magnitude)
        && near(one.betaFast, two.betaFast) && near(one.betaSlow, two.betaSlow)
    case (.longrope(let one), .longrope(let two)):
      one.originalContext == two.originalContext && near(one.magnitude, two.magnitude)
        && one.shortFactors.count == two.shortFactors.count
        && one.longFactors.count == two.longFactors.count
        && zip(one.shortFactors + one.longFactors, two.shortFactors + two.longFactors)
          .allSatisfy(near)
    case (
      .llama3(let one, let low, let high, let context),
      .llama3(let two, let otherLow, let otherHigh, let otherContext)
    ):
      near(one, two) && low == otherLow && high == otherHigh && context == otherContext
    default: self == other
    }
  }
}
