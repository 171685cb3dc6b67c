/// The weights of a feed-forward part without a gate: `down(activation(up(x)))`.
package struct PlainFeedForward: Sendable {
  var activation: Activation
  /// `[intermediate][hidden]`.
  var up: PackedMatrix
  /// `[hidden][intermediate]`.
  var down: PackedMatrix
  /// Biases of the two products, each `[rows]`; nil where there are none.
  var upBias: FloatBuffer?
  /// See `upBias`.
  var downBias: FloatBuffer?

  var matrices: [PackedMatrix] { [up, down] }

  /// Adds to `scratch.residual` what the part makes of its rows.
  ///
  /// - Parameter beforeAdding: Called when the stream has been read.
  func forward(
    rows: Int, norms: SublayerNorms, _ buffers: PlainBuffers, scratch: LayerScratch,
    workers: Workers, beforeAdding: () -> Void
  ) {
    workers.run { worker in
      let normed = scratch.norm(rows: 0..<rows, norms, worker: worker)
      let panels = up.panels(of: worker, among: workers.count, piece: down.columnPiece)
      up.multiply(
        normed, into: buffers.up.values.base, stride: up.rows, count: rows, panels: panels,
        bias: upBias.map { UnsafePointer($0.base) })
      let features = panels.lowerBound * 16..<min(panels.upperBound * 16, up.rows)
      for row in 0..<rows where !features.isEmpty {
        activation.apply(gate: buffers.up.row(row) + features.lowerBound, count: features.count)
        buffers.up.finish(row: row, columns: features)
      }
    }
    beforeAdding()
    norms.add(down, downBias, buffers.up, rows: rows, scratch: scratch, workers: workers)
  }
}

/// What a feed-forward part without a gate computes of a pass's rows.
final class PlainBuffers: Sendable {
  let up: ActivationRows  // [maximumRows][intermediate]
  private let down: WeightFormat

  init(_ part: PlainFeedForward, maximumRows: Int) {
    down = part.down.format
    up = ActivationRows(
      maximumRows: maximumRows, width: part.up.rows, formats: [down], piece: part.down.columnPiece)
  }

  /// Whether another layer can use them.
  func fit(_ part: PlainFeedForward) -> Bool {
    part.up.rows == up.width && part.down.format == down
  }
}
