// A layer of a causal model over whole sequences.

import Tensors

extension TrainableLayer {
  /// The rows of a pass and the tables every layer shares.
  struct Batch {
    var sequences: Int
    var length: Int
    var positions: UnsafePointer<Int32>  // [rows]
    var visible: UnsafePointer<Int32>  // [length]: 1, 2, 3 …
    var rotary: RotaryLayer
    var rows: Int { sequences * length }
    var places: Rows { Rows(count: rows, positions: positions, rotary: rotary) }
  }

  /// Computes the residual stream after the layer, `next` [rows, hidden], from `state.input`.
  func forward(
    _ parameters: UnsafePointer<Float>, state: TrainableLayerState, batch: Batch,
    next: UnsafeMutablePointer<Float>
  ) {
    forwardProjections(parameters, state: state, rows: batch.places)
    attention.forward(attentionRows(state, batch), visible: batch.visible)
    forwardOutput(parameters, state: state, rows: batch.rows, next: next)
  }

  /// Turns `d` [rows, hidden], the gradient of the stream after the layer, into that before it, and
  /// adds the layer's gradients to `gradients`.
  func backward(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    state: TrainableLayerState, scratch: TrainableLayerScratch, batch: Batch,
    d: UnsafeMutablePointer<Float>
  ) {
    backwardOutput(
      parameters, gradients: gradients, state: state, scratch: scratch, rows: batch.rows, d: d)
    attention.backward(
      attentionRows(state, batch), dOutput: scratch.attended.base, d: scratch.queryKeyValue.base,
      scratch: scratch.scores.base, dots: scratch.dots.base)
    backwardProjections(
      parameters, gradients: gradients, state: state, scratch: scratch, rows: batch.places, d: d)
  }

  private func attentionRows(_ state: TrainableLayerState, _ batch: Batch) -> CausalAttention.Rows {
    CausalAttention.Rows(
      sequences: batch.sequences, length: batch.length, queriesKeys: state.queryKey.base,
      queryKeyStride: queryKeyWidth, values: state.queryKeyValue.base + queryKeyWidth,
      valueStride: queryKeyValueWidth, probabilities: state.probabilities.base,
      output: state.attended.base)
  }
}
