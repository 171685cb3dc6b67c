/// The sizes of a decoder layer, shared by targets and drafters.
public struct LayerShape: Sendable, Equatable {
  /// Width of the residual stream.
  public var hidden: Int
  /// Query heads.
  public var heads: Int
  /// Key-value heads; divides `heads`.
  public var keyValueHeads: Int
  /// Width of a head; even.
  public var headDimension: Int
  /// Width of the feed-forward layer.
  public var intermediate: Int
  /// Added to the mean square in every norm.
  public var normEpsilon: Float

  /// Makes a shape from its sizes.
  public init(
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
  /// Query heads.
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
