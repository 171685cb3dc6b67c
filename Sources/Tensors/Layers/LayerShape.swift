/// The sizes of a decoder layer, shared by targets and drafters.
package struct LayerShape: Sendable, Equatable {
  /// Width of the residual stream.
  package var hidden: Int
  package var heads: Int
  /// Key-value heads; divides `heads`.
  package var keyValueHeads: Int
  /// Width of a head; even.
  package var headDimension: Int
  /// Width of the feed-forward layer.
  package var intermediate: Int
  /// Added to the mean square in every norm.
  package var normEpsilon: Float

  package init(
    hidden: Int, heads: Int, keyValueHeads: Int, headDimension: Int, intermediate: Int,
    normEpsilon: Float
  ) {
    self.hidden = hidden
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDimension = headDimension
    self.intermediate = intermediate
    self.normEpsilon = normEpsilon
  }

  /// The sizes of the heads alone.
  var attention: AttentionShape {
    AttentionShape(heads: heads, keyValueHeads: keyValueHeads, headDimension: headDimension)
  }
}

/// The sizes of an attention's heads.
struct AttentionShape: Sendable, Hashable {
  var heads: Int
  /// Key-value heads; divides `heads`.
  var keyValueHeads: Int
  /// Width of a head; even.
  var headDimension: Int

  /// Query heads that look at one key-value head.
  var group: Int { heads / keyValueHeads }
  /// Width of all query heads together.
  var queryWidth: Int { heads * headDimension }
  /// Width of all key-value heads together.
  var keyValueWidth: Int { keyValueHeads * headDimension }
}
