import Tensors

/// The context's keys and values in one drafter layer, forward and backward.
///
/// They come from the fused target features, which are not input-normed, and not from rows of the
/// layer below.
final class ContextState {
  let keyValue: FloatBuffer  // [positions][k, v], before the key norm
  let keyInverse: FloatBuffer  // [positions][key/value heads]
  let keys: FloatBuffer  // [positions][k], normed and rotated

  init(_ shape: TrainableLayer, positions: Int) {
    keyValue = FloatBuffer(count: positions * 2 * shape.keyWidth)
    keyInverse = FloatBuffer(count: positions * shape.attention.keyValueHeads)
    keys = FloatBuffer(count: positions * shape.keyWidth)
  }

  /// Computes keys and values of `rows` positions from 0 on.
  func forward(
    _ shape: TrainableLayer, _ parameters: UnsafePointer<Float>,
    context: UnsafePointer<Float>, rows: TrainableLayer.Rows
  ) {
    shape.keyValue.forward(parameters, rows: rows.count, x: context, y: keyValue.base)
    shape.keyNorm.forward(
      parameters, rows: rows.count, x: keyValue.base, xStride: 2 * shape.keyWidth, y: keys.base,
      yStride: shape.keyWidth, inverse: keyInverse.base)
    rows.rotary.forward(
      rows: rows.count, heads: shape.attention.keyValueHeads, x: keys.base,
      stride: shape.keyWidth, positions: rows.positions)
  }

  /// Adds the layer's gradients, and the context's to `dContext`.
  ///
  /// - Parameter d: The gradient of rotated keys and of values, [positions][k, v]; overwritten.
  func backward(
    _ shape: TrainableLayer, _ parameters: UnsafePointer<Float>,
    gradients: UnsafeMutablePointer<Float>, context: UnsafePointer<Float>,
    rows: TrainableLayer.Rows, d: UnsafeMutablePointer<Float>,
    dContext: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    rows.rotary.backward(
      rows: rows.count, heads: shape.attention.keyValueHeads, dX: d, stride: 2 * shape.keyWidth,
      positions: rows.positions)
    shape.keyNorm.backward(
      parameters, gradients: gradients, rows: rows.count, x: keyValue.base,
      xStride: 2 * shape.keyWidth, inverse: keyInverse.base, dY: d, dX: d,
      dStride: 2 * shape.keyWidth)
    shape.keyValue.backward(
      parameters, gradients: gradients, rows: rows.count, x: context, dY: d, dX: dContext,
      accumulate: accumulate)
  }
}
