import Tensors

/// What a conditioned drafter makes of the target's features in one pass: the fused context, and every
/// layer's keys and values of it, forward and backward.
///
/// Keys and values come from the fused features, which are not input-normed, and not from rows of the layer
/// below.
final class FeatureContext {
  /// A layer's keys and values.
  struct Layer {
    let keyValue: FloatBuffer  // [positions][k, v], before the key norm
    let keyInverse: FloatBuffer  // [positions][key/value heads]
    let keys: FloatBuffer  // [positions][k], normed and rotated
  }

  let layers: [Layer]
  /// The gradient of a layer's rotated keys and values: [positions][k, v].
  let dKeyValue: FloatBuffer

  private let fusion: DrafterTrainingModel.Fusion
  private let hidden: Int
  private let fused: FloatBuffer  // [positions][hidden]
  private let normed: FloatBuffer  // [positions][hidden]: what layers project
  private let inverse: FloatBuffer  // [positions]
  private let dNormed: FloatBuffer  // [positions][hidden]

  init(_ fusion: DrafterTrainingModel.Fusion, layers shapes: [TrainableLayer], positions: Int) {
    self.fusion = fusion
    hidden = fusion.matrix.outputs
    layers = shapes.map {
      Layer(
        keyValue: FloatBuffer(count: positions * 2 * $0.keyWidth),
        keyInverse: FloatBuffer(count: positions * $0.attention.keyValueHeads),
        keys: FloatBuffer(count: positions * $0.keyWidth))
    }
    dKeyValue = FloatBuffer(count: positions * 2 * shapes[0].keyWidth)
    fused = FloatBuffer(count: positions * hidden)
    normed = FloatBuffer(count: positions * hidden)
    inverse = FloatBuffer(count: positions)
    dNormed = FloatBuffer(count: positions * hidden)
  }

  /// Fuses the features `taps` [rows][taps · hidden].
  func fuse(_ parameters: UnsafePointer<Float>, taps: UnsafePointer<Float>, rows: Int) {
    guard rows > 0 else { return }
    fusion.matrix.forward(parameters, rows: rows, x: taps, y: fused.base)
    fusion.norm.forward(
      parameters, rows: rows, x: fused.base, xStride: hidden, y: normed.base, yStride: hidden,
      inverse: inverse.base)
  }

  /// Computes a layer's keys and values of positions from 0 on.
  func forward(
    _ index: Int, _ shape: TrainableLayer, _ parameters: UnsafePointer<Float>,
    rows: TrainableLayer.Rows
  ) {
    guard rows.count > 0 else { return }
    let layer = layers[index]
    shape.keyValue.forward(parameters, rows: rows.count, x: normed.base, y: layer.keyValue.base)
    shape.keyNorm.forward(
      parameters, rows: rows.count, x: layer.keyValue.base, xStride: 2 * shape.keyWidth,
      y: layer.keys.base, yStride: shape.keyWidth, inverse: layer.keyInverse.base)
    rows.rotary.forward(
      rows: rows.count, heads: shape.attention.keyValueHeads, x: layer.keys.base,
      stride: shape.keyWidth, positions: rows.positions)
  }

  /// Adds a layer's gradients, from `dKeyValue`, which it overwrites; the last layer comes first.
  func backward(
    _ index: Int, _ shape: TrainableLayer, _ parameters: UnsafePointer<Float>,
    gradients: UnsafeMutablePointer<Float>, rows: TrainableLayer.Rows
  ) {
    guard rows.count > 0 else { return }
    let (layer, d, stride) = (layers[index], dKeyValue.base, 2 * shape.keyWidth)
    rows.rotary.backward(
      rows: rows.count, heads: shape.attention.keyValueHeads, dX: d, stride: stride,
      positions: rows.positions)
    shape.keyNorm.backward(
      parameters, gradients: gradients, rows: rows.count, x: layer.keyValue.base, xStride: stride,
      inverse: layer.keyInverse.base, dY: d, dX: d, dStride: stride)
    shape.keyValue.backward(
      parameters, gradients: gradients, rows: rows.count, x: normed.base, dY: d, dX: dNormed.base,
      accumulate: index + 1 < layers.count)
  }

  func backwardFusion(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    taps: UnsafePointer<Float>, rows: Int
  ) {
    guard rows > 0 else { return }
    fusion.norm.backward(
      parameters, gradients: gradients, rows: rows, x: fused.base, xStride: hidden,
      inverse: inverse.base, dY: dNormed.base, dX: dNormed.base, dStride: hidden)
    fusion.matrix.backward(
      parameters, gradients: gradients, rows: rows, x: taps, dY: dNormed.base, dX: nil)
  }
}
