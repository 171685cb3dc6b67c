/// The weights of grouped-query attention, and how it computes.
///
/// How a pass runs through it is in `Attention+Forward.swift`.
package struct Attention: Sendable {
  var shape: AttentionShape
  /// How queries and keys are rotated.
  var rope: Rope
  var scale: Float
  /// How many positions, its own included, a row sees at most; nil for all.
  var window: Int?
  /// Added to the mean square in the norms of heads.
  var normEpsilon: Float

  /// `[queryWidth][hidden]`.
  var query: PackedMatrix
  /// `[keyValueWidth][hidden]`.
  var key: PackedMatrix
  /// `[keyValueWidth][hidden]`.
  var value: PackedMatrix
  /// `[hidden][queryWidth]`.
  var output: PackedMatrix

  /// Biases of the four products, each `[rows]`; nil where there are none.
  var queryBias: FloatBuffer?
  /// See `queryBias`.
  var keyBias: FloatBuffer?
  /// See `queryBias`.
  var valueBias: FloatBuffer?
  /// See `queryBias`.
  var outputBias: FloatBuffer?

  /// Scales of the norms of query heads, `[headDimension]`; nil where heads aren't normed.
  var queryNorm: FloatBuffer?
  /// See `queryNorm`.
  var keyNorm: FloatBuffer?

  var matrices: [PackedMatrix] { [query, key, value, output] }
}
