/// The weights of one decoder layer: grouped-query attention and a SwiGLU feed-forward.
///
/// Llama, Mistral, Qwen2 and Qwen3 differ only in which of the optional parts are present. How a
/// pass runs through the layer is in `DecoderLayer+Forward.swift`.
public struct DecoderLayer: Sendable {
  /// The layer's sizes.
  public var shape: LayerShape

  /// Scale of the norm before attention, `[hidden]`.
  public var inputNorm: FloatBuffer
  /// Scale of the norm before the feed-forward, `[hidden]`.
  public var postAttentionNorm: FloatBuffer
  /// Scales of the per-head norms of queries and keys, `[headDimension]`; Qwen3 has them.
  public var queryNorm: FloatBuffer?
  /// See `queryNorm`.
  public var keyNorm: FloatBuffer?

  /// `[queryWidth][hidden]`.
  public var query: PackedMatrix
  /// `[keyValueWidth][hidden]`.
  public var key: PackedMatrix
  /// `[keyValueWidth][hidden]`.
  public var value: PackedMatrix
  /// `[hidden][queryWidth]`.
  public var output: PackedMatrix
  /// `[intermediate][hidden]`.
  public var gate: PackedMatrix
  /// `[intermediate][hidden]`.
  public var up: PackedMatrix
  /// `[hidden][intermediate]`.
  public var down: PackedMatrix

  /// Biases of the seven products, each `[rows]`; nil where the family has none.
  public var queryBias: FloatBuffer?
  /// See `queryBias`.
  public var keyBias: FloatBuffer?
  /// See `queryBias`.
  public var valueBias: FloatBuffer?
  /// See `queryBias`.
  public var outputBias: FloatBuffer?
  /// See `queryBias`.
  public var gateBias: FloatBuffer?
  /// See `queryBias`.
  public var upBias: FloatBuffer?
  /// See `queryBias`.
  public var downBias: FloatBuffer?

  /// Makes a layer from the parts that every family has.
  public init(
    shape: LayerShape, inputNorm: FloatBuffer, postAttentionNorm: FloatBuffer,
    query: PackedMatrix, key: PackedMatrix, value: PackedMatrix, output: PackedMatrix,
    gate: PackedMatrix, up: PackedMatrix, down: PackedMatrix
  ) {
    self.shape = shape
    self.inputNorm = inputNorm
    self.postAttentionNorm = postAttentionNorm
    self.query = query
    self.key = key
    self.value = value
    self.output = output
    self.gate = gate
    self.up = up
    self.down = down
  }

  /// The layer's matrices.
  public var matrices: [PackedMatrix] { [query, key, value, output, gate, up, down] }
}
