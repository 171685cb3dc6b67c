/// The weights of a gated feed-forward part: `down(activation(gate(x)) · up(x))`.
package struct GatedFeedForward: Sendable {
  var activation: Activation
  /// What takes the place of `activation(gate) · up`; nil for nothing.
  var clamp: GateClamp?
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
      activate(
        normed, rows: 0..<rows,
        panels: gate.panels(of: worker, among: workers.count, piece: down.columnPiece),
        into: buffers)
    }
    beforeAdding()
    norms.add(down, downBias, buffers.gate, rows: rows, scratch: scratch, workers: workers)
  }

  /// Computes what `down` takes: some features of some rows.
  ///
  /// - Parameters:
  ///   - panels: Whole pieces of the gate's.
  ///   - first: The row of `buffers` that the first of the rows has.
  func activate(
    _ normed: ActivationRows, rows: Range<Int>, panels: Range<Int>, into buffers: GatedBuffers,
    at first: Int = 0
  ) {
    let features = gate.rows(of: panels)
    guard !features.isEmpty else { return }
    gate.multiply(
      normed, from: rows.lowerBound, into: buffers.gate.row(first), stride: gate.rows,
      count: rows.count, panels: panels, bias: gateBias.map { UnsafePointer($0.base) })
    let up = buffers.up.base + first * gate.rows
    self.up.multiply(
      normed, from: rows.lowerBound, into: up, stride: gate.rows, count: rows.count,
      panels: panels, bias: upBias.map { UnsafePointer($0.base) })
    for row in 0..<rows.count {
      apply(
        gate: buffers.gate.row(first + row) + features.lowerBound,
        up: up + row * gate.rows + features.lowerBound, count: features.count)
      buffers.gate.finish(row: first + row, columns: features)
    }
  }

  private func apply(gate: UnsafeMutablePointer<Float>, up: UnsafePointer<Float>, count: Int) {
    if let clamp {
      Kernels.swigluClamped(
        gate: gate, up: up, count: count, alpha: clamp.alpha, limit: clamp.limit)
    } else {
      activation.apply(gate: gate, up: up, count: count)
    }
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
