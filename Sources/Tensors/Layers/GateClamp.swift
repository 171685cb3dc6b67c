/// The gate of gpt-oss: `g · sigmoid(alpha · g) · (u + 1)`, where `g` is the gate, at most `limit`, and `u` is
/// up, from `-limit` to `limit`.
package struct GateClamp: Sendable, Equatable {
  package var alpha: Float
  package var limit: Float

  package init(alpha: Float, limit: Float) {
    self.alpha = alpha
    self.limit = limit
  }
}
