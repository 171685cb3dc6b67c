import Tensors

/// What a conditioned drafter makes of the target's features in one pass: the fused context, and every
/// layer's keys and values of it, forward and backward.
final class FeatureContext {
  let layers: [ContextState]
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
    layers = shapes.map { ContextState($0, positions: positions) }
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

  func forward(
    _ index: Int, _ shape: TrainableLayer, _ parameters: UnsafePointer<Float>,
    rows: TrainableLayer.Rows
  ) {
    guard rows.count > 0 else { return }
    layers[index].forward(shape, parameters, context: normed.base, rows: rows)
  }

  /// Adds a layer's gradients, from `dKeyValue`; the last layer comes first.
  func backward(
    _ index: Int, _ shape: TrainableLayer, _ parameters: UnsafePointer<Float>,
    gradients: UnsafeMutablePointer<Float>, rows: TrainableLayer.Rows
  ) {
    guard rows.count > 0 else { return }
    layers[index].backward(
      shape, parameters, gradients: gradients, context: normed.base, rows: rows,
      d: dKeyValue.base, dContext: dNormed.base, accumulate: index + 1 < layers.count)
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
