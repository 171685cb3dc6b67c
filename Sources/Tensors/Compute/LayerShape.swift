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

  /// Width of all query heads together.
  public var queryWidth: Int { heads * headDimension }
  /// Width of all key-value heads together.
  public var keyValueWidth: Int { keyValueHeads * headDimension }
}
