/// The shape of a causal model of the Qwen3 family that can be trained here.
package struct CausalArchitecture: Sendable, Equatable, Codable {
  /// Rows of the embedding, which is also the head.
  package var vocabularySize = 8192
  package var hiddenSize = 384
  package var intermediateSize = 1088
  package var layerCount = 12
  package var headCount = 6
  package var keyValueHeadCount = 2  // divides `headCount`
  package var headDimension = 64
  package var ropeTheta = 10_000.0
  package var normEpsilon: Float = 1e-6
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
