import Tensors

extension DecoderLayerShape {
  /// The rows of a pass and the tables every layer shares.
  struct Batch {
    var sequences: Int
    var length: Int
    var positions: UnsafePointer<Int32>  // [rows]
    var visible: UnsafePointer<Int32>  // [length]: 1, 2, 3 …
    var rotary: RotaryLayer
    var rows: Int { sequences * length }
  }

  /// Computes the residual stream after the layer, `next` [rows, hidden], from `state.input`.
  func forward(
    _ parameters: UnsafePointer<Float>, state: DecoderLayerState, batch: Batch,
    next: UnsafeMutablePointer<Float>
  ) {
    let rows = batch.rows
    inputNorm.forward(
      parameters, rows: rows, x: state.input.base, xStride: hidden, y: state.inputNormed.base,
      yStride: hidden, inverse: state.inputInverse.base)
    queryKeyValue.forward(
      parameters, rows: rows, x: state.inputNormed.base, y: state.queryKeyValue.base)
    let keyOffset = attention.heads * headWidth
    queryNorm.forward(
      parameters, rows: rows, x: state.queryKeyValue.base, xStride: queryKeyValueWidth,
      y: state.queryKey.base, yStride: queryKeyWidth, inverse: state.queryInverse.base)
    keyNorm.forward(
      parameters, rows: rows, x: state.queryKeyValue.base + keyOffset,
      xStride: queryKeyValueWidth, y: state.queryKey.base + keyOffset, yStride: queryKeyWidth,
      inverse: state.keyInverse.base)
    batch.rotary.forward(
      rows: rows, heads: attention.heads + attention.keyValueHeads, x: state.queryKey.base,
      stride: queryKeyWidth, positions: batch.positions)
    attention.forward(attentionRows(state, batch), visible: batch.visible)

    state.middle.base.update(from: state.input.base, count: rows * hidden)
    output.forward(
      parameters, rows: rows, x: state.attended.base, y: state.middle.base, accumulate: true)
    middleNorm.forward(
      parameters, rows: rows, x: state.middle.base, xStride: hidden, y: state.middleNormed.base,
      yStride: hidden, inverse: state.middleInverse.base)
    gateUp.forward(parameters, rows: rows, x: state.middleNormed.base, y: state.gateUp.base)
    activation.forward(rows: rows, gateUp: state.gateUp.base, y: state.activated.base)
    next.update(from: state.middle.base, count: rows * hidden)
    down.forward(
      parameters, rows: rows, x: state.activated.base, y: next, accumulate: true)
  }

  /// Turns `d` [rows, hidden], the gradient of the stream after the layer, into that before it, and
  /// adds the layer's gradients to `gradients`.
  func backward(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    state: DecoderLayerState, scratch: DecoderLayerScratch, batch: Batch,
    d: UnsafeMutablePointer<Float>
  ) {
    let rows = batch.rows
    down.backward(
      parameters, gradients: gradients, rows: rows, x: state.activated.base, dY: d,
      dX: scratch.activated.base)
    activation.backward(
      rows: rows, gateUp: state.gateUp.base, dY: scratch.activated.base,
      dGateUp: scratch.gateUp.base)
    gateUp.backward(
      parameters, gradients: gradients, rows: rows, x: state.middleNormed.base,
      dY: scratch.gateUp.base, dX: scratch.normed.base)
    middleNorm.backward(
      parameters, gradients: gradients, rows: rows, x: state.middle.base, xStride: hidden,
      inverse: state.middleInverse.base, dY: scratch.normed.base, dX: d, dStride: hidden,
      accumulate: true)

    output.backward(
      parameters, gradients: gradients, rows: rows, x: state.attended.base, dY: d,
      dX: scratch.attended.base)
    let dHeads = scratch.queryKeyValue.base
    attention.backward(
      attentionRows(state, batch), dOutput: scratch.attended.base, d: dHeads,
      scratch: scratch.scores.base, dots: scratch.dots.base)
    batch.rotary.backward(
      rows: rows, heads: attention.heads + attention.keyValueHeads, dX: dHeads,
      stride: queryKeyValueWidth, positions: batch.positions)
    let keyOffset = attention.heads * headWidth
    queryNorm.backward(
      parameters, gradients: gradients, rows: rows, x: state.queryKeyValue.base,
      xStride: queryKeyValueWidth, inverse: state.queryInverse.base, dY: dHeads, dX: dHeads,
      dStride: queryKeyValueWidth)
    keyNorm.backward(
      parameters, gradients: gradients, rows: rows, x: state.queryKeyValue.base + keyOffset,
      xStride: queryKeyValueWidth, inverse: state.keyInverse.base, dY: dHeads + keyOffset,
      dX: dHeads + keyOffset, dStride: queryKeyValueWidth)
    queryKeyValue.backward(
      parameters, gradients: gradients, rows: rows, x: state.inputNormed.base, dY: dHeads,
      dX: scratch.normed.base)
    inputNorm.backward(
      parameters, gradients: gradients, rows: rows, x: state.input.base, xStride: hidden,
      inverse: state.inputInverse.base, dY: scratch.normed.base, dX: d, dStride: hidden,
      accumulate: true)
  }

  private func attentionRows(_ state: DecoderLayerState, _ batch: Batch) -> CausalAttention.Rows {
    CausalAttention.Rows(
      sequences: batch.sequences, length: batch.length, queriesKeys: state.queryKey.base,
      queryKeyStride: queryKeyWidth, values: state.queryKeyValue.base + queryKeyWidth,
      valueStride: queryKeyValueWidth, probabilities: state.probabilities.base,
      output: state.attended.base)
  }
}
