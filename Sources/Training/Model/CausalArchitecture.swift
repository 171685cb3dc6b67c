/// The shape of a causal model of the Qwen3 family that can be trained here.
package struct CausalArchitecture: Sendable, Equatable, Codable {
  /// Rows of the embedding, which is also the head.
  package var vocabularySize = 8192
  /// The width of the residual stream.
  package var hiddenSize = 384
  /// The width of the gated activation.
  package var intermediateSize = 1088
  /// Decoder layers.
  package var layerCount = 12
  /// Query heads.
  package var headCount = 6
  /// Key/value heads; divides `headCount`.
  package var keyValueHeadCount = 2
  /// The width of a head; even.
  package var headDimension = 64
  /// The base of the rotary angles.
  package var ropeTheta = 10_000.0
  /// Added to the mean square in every norm.
  package var normEpsilon: Float = 1e-6
  /// Positions the model is declared to serve.
  package var maximumContext = 2048

  /// The planned embedded target: deep and thin, 23 M parameters.
  package init() {}

  /// Says what is wrong with the shape, or nil.
  package var complaint: String? {
    let sizes = [
      ("vocabulary", vocabularySize), ("hidden", hiddenSize), ("intermediate", intermediateSize),
      ("layers", layerCount), ("heads", headCount), ("kv-heads", keyValueHeadCount),
      ("head-dim", headDimension), ("context", maximumContext),
    ]
    for (name, value) in sizes where value < 1 || value > 1 << 20 {
      return "\(name) is \(value): give a number from 1 to \(1 << 20)"
    }
    if headCount % keyValueHeadCount != 0 {
      return "\(headCount) heads can't share \(keyValueHeadCount) key/value heads evenly: "
        + "give a divisor of the number of heads"
    }
    if headDimension % 2 != 0 { return "head-dim is \(headDimension): give an even number" }
    return nil
  }
}
