// The two halves of a layer around its attention, which causal models and drafters do differently.

import CKernels
import Tensors

extension TrainableLayer {
  /// Where the rows of a pass stand.
  struct Rows {
    var count: Int
    var positions: UnsafePointer<Int32>  // [count]
    var rotary: RotaryLayer
  }

  /// Computes normed and rotated queries and keys, and values, from `state.input`.
  func forwardProjections(
    _ parameters: UnsafePointer<Float>, state: TrainableLayerState, rows: Rows
  ) {
    inputNorm.forward(
      parameters, rows: rows.count, x: state.input.base, xStride: hidden,
      y: state.inputNormed.base, yStride: hidden, inverse: state.inputInverse.base)
    queryKeyValue.forward(
      parameters, rows: rows.count, x: state.inputNormed.base, y: state.queryKeyValue.base)
    let keyOffset = attention.heads * headWidth
    queryNorm.forward(
      parameters, rows: rows.count, x: state.queryKeyValue.base, xStride: queryKeyValueWidth,
      y: state.queryKey.base, yStride: queryKeyWidth, inverse: state.queryInverse.base)
    keyNorm.forward(
      parameters, rows: rows.count, x: state.queryKeyValue.base + keyOffset,
      xStride: queryKeyValueWidth, y: state.queryKey.base + keyOffset, yStride: queryKeyWidth,
      inverse: state.keyInverse.base)
    rows.rotary.forward(
      rows: rows.count, heads: attention.heads + attention.keyValueHeads,
      x: state.queryKey.base, stride: queryKeyWidth, positions: rows.positions)
  }

  /// Computes the residual stream after the layer, `next` [rows, hidden], from `state.attended`.
  func forwardOutput(
    _ parameters: UnsafePointer<Float>, state: TrainableLayerState, rows: Int,
    next: UnsafeMutablePointer<Float>
  ) {
    state.middle.base.update(from: state.input.base, count: rows * hidden)
    output.forward(
      parameters, rows: rows, x: state.attended.base, y: state.middle.base, accumulate: true)
    middleNorm.forward(
      parameters, rows: rows, x: state.middle.base, xStride: hidden, y: state.middleNormed.base,
      yStride: hidden, inverse: state.middleInverse.base)
    gateUp.forward(parameters, rows: rows, x: state.middleNormed.base, y: state.gateUp.base)
    ct_swiglu_forward(rows, down.inputs, state.gateUp.base, state.activated.base)
    next.update(from: state.middle.base, count: rows * hidden)
    down.forward(parameters, rows: rows, x: state.activated.base, y: next, accumulate: true)
  }

  /// Turns `d` [rows, hidden], the gradient of the stream after the layer, into that of the stream
  /// after attention, and writes the attention output's gradient to `scratch.attended`.
  ///
  /// - Parameter didSettle: See ``GradientPass``.
  func backwardOutput(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    state: TrainableLayerState, scratch: TrainableLayerScratch, rows: Int,
    d: UnsafeMutablePointer<Float>,
    didSettle: ((Int) -> Void)?
  ) {
    down.backward(
      parameters, gradients: gradients, rows: rows, x: state.activated.base, dY: d,
      dX: scratch.activated.base)
    didSettle?(down.offset)
    ct_swiglu_backward(
      rows, down.inputs, state.gateUp.base, scratch.activated.base, scratch.gateUp.base)
    gateUp.backward(
      parameters, gradients: gradients, rows: rows, x: state.middleNormed.base,
      dY: scratch.gateUp.base, dX: scratch.normed.base)
    didSettle?(gateUp.offset)
    middleNorm.backward(
      parameters, gradients: gradients, rows: rows, x: state.middle.base, xStride: hidden,
      inverse: state.middleInverse.base, dY: scratch.normed.base, dX: d, dStride: hidden,
      accumulate: true)
    output.backward(
      parameters, gradients: gradients, rows: rows, x: state.attended.base, dY: d,
      dX: scratch.attended.base)
    didSettle?(output.offset)
  }

  /// Adds to `d` what flows back through the projections, whose output's gradient attention has
  /// left in `scratch.queryKeyValue`.
  func backwardProjections(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    state: TrainableLayerState, scratch: TrainableLayerScratch, rows: Rows,
    d: UnsafeMutablePointer<Float>
  ) {
    let dHeads = scratch.queryKeyValue.base
    rows.rotary.backward(
      rows: rows.count, heads: attention.heads + attention.keyValueHeads, dX: dHeads,
      stride: queryKeyValueWidth, positions: rows.positions)
    let keyOffset = attention.heads * headWidth
    queryNorm.backward(
      parameters, gradients: gradients, rows: rows.count, x: state.queryKeyValue.base,
      xStride: queryKeyValueWidth, inverse: state.queryInverse.base, dY: dHeads, dX: dHeads,
      dStride: queryKeyValueWidth)
    keyNorm.backward(
      parameters, gradients: gradients, rows: rows.count, x: state.queryKeyValue.base + keyOffset,
      xStride: queryKeyValueWidth, inverse: state.keyInverse.base, dY: dHeads + keyOffset,
      dX: dHeads + keyOffset, dStride: queryKeyValueWidth)
    queryKeyValue.backward(
      parameters, gradients: gradients, rows: rows.count, x: state.inputNormed.base, dY: dHeads,
      dX: scratch.normed.base)
    inputNorm.backward(
      parameters, gradients: gradients, rows: rows.count, x: state.input.base, xStride: hidden,
      inverse: state.inputInverse.base, dY: scratch.normed.base, dX: d, dStride: hidden,
      accumulate: true)
  }

  /// Whole sequences whose rows see those before them, from row `first` of a pass on.
  ///
  /// - Parameter probabilities: Where theirs start among the state's.
  func causalRows(
    _ state: TrainableLayerState, from first: Int = 0, sequences: Int, length: Int,
    probabilities: Int = 0
  ) -> CausalAttention.Rows {
    CausalAttention.Rows(
      sequences: sequences, length: length,
      queriesKeys: state.queryKey.base + first * queryKeyWidth, queryKeyStride: queryKeyWidth,
      values: state.queryKeyValue.base + first * queryKeyValueWidth + queryKeyWidth,
      valueStride: queryKeyValueWidth, probabilities: state.probabilities.base + probabilities,
      output: state.attended.base + first * output.inputs)
  }
}
