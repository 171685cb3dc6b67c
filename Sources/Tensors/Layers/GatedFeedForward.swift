/// The weights of a gated feed-forward part: `down(activation(gate(x)) · up(x))`.
package struct GatedFeedForward: Sendable {
  var activation: Activation
  /// `[intermediate][hidden]`.
  var gate: PackedMatrix
  /// `[intermediate][hidden]`.
  var up: PackedMatrix
  /// `[hidden][intermediate]`.
  var down: PackedMatrix
  /// Biases of the three products, each `[rows]`; nil where there are none.
  var gateBias: FloatBuffer?
  /// See `gateBias`.
  var upBias: FloatBuffer?
  /// See `gateBias`.
  var downBias: FloatBuffer?

  var matrices: [PackedMatrix] { [gate, up, down] }

  /// Adds to `scratch.residual` what the part makes of its rows.
  ///
  /// - Parameter beforeAdding: Called when the stream has been read.
  func forward(
    rows: Int, norms: SublayerNorms, _ buffers: GatedBuffers, scratch: LayerScratch,
    workers: Workers, beforeAdding: () -> Void
  ) {
    workers.run { worker in
      let normed = scratch.norm(rows: 0..<rows, norms, worker: worker)
      let panels = gate.panels(of: worker, among: workers.count, piece: down.columnPiece)
      gate.multiply(
        normed, into: buffers.gate.values.base, stride: gate.rows, count: rows, panels: panels,
        bias: gateBias.map { UnsafePointer($0.base) })
      up.multiply(
        normed, into: buffers.up.base, stride: up.rows, count: rows, panels: panels,
        bias: upBias.map { UnsafePointer($0.base) })
      let features = panels.lowerBound * 16..<min(panels.upperBound * 16, gate.rows)
      for row in 0..<rows where !features.isEmpty {
        activation.apply(
          gate: buffers.gate.row(row) + features.lowerBound,
          up: buffers.up.base + row * up.rows + features.lowerBound, count: features.count)
        buffers.gate.finish(row: row, columns: features)
      }
    }
    beforeAdding()
    norms.add(down, downBias, buffers.gate, rows: rows, scratch: scratch, workers: workers)
  }
}

/// What a gated feed-forward part computes of a pass's rows.
final class GatedBuffers: Sendable {
  let gate: ActivationRows  // [maximumRows][intermediate]
  let up: FloatBuffer  // [maximumRows][intermediate]
  private let down: WeightFormat

  init(_ part: GatedFeedForward, maximumRows: Int) {
    down = part.down.format
    gate = ActivationRows(
      maximumRows: maximumRows, width: part.gate.rows, formats: [down], piece: part.down.columnPiece
    )
    up = FloatBuffer(count: maximumRows * part.gate.rows)
  }

  /// Whether another layer can use them.
  func fit(_ part: GatedFeedForward) -> Bool {
    part.gate.rows == gate.width && part.down.format == down
  }
}
