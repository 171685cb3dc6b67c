/// The weights of grouped-query attention, and how it computes.
///
/// How a pass runs through it is in `Attention+Forward.swift`.
package struct Attention: Sendable {
  var shape: AttentionShape
  /// How queries and keys are rotated.
  var rope: Rope
  var scale: Float
  /// The bound that scores approach; 0 for none.
  var cap: Float
  /// The greatest magnitude of queries, keys and values; nil for any.
  var clip: Float?
  /// How many positions, its own included, a row sees at most; nil for all.
  var window: Int?
  /// Whether a row sees no key behind its own, whatever it may see in other layers.
  var hidesLater = false

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

  /// The norm of query heads; nil where heads aren't normed.
  var queryNorm: HeadNorm?
  /// See `queryNorm`.
  var keyNorm: HeadNorm?
  /// Whether the heads of a row are normed together.
  var normsTogether: Bool

  /// A score more in the softmax of each query head, for no value, `[heads]`; nil where there is none.
  var sinks: FloatBuffer?

  var matrices: [PackedMatrix] { [query, key, value, output] }
}

/// A norm of single heads.
struct HeadNorm: Sendable {
  var norm: Norm
  /// From one head's scales to the next one's: 0 where all heads share them.
  var stride: Int
}
