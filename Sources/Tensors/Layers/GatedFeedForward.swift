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

  /// Computes `activation(gate(x)) · up(x)` of the rows, and leaves the stream as it is.
  ///
  /// - Parameter index: The layer's place among the layers of `scratch`.
  func activate(
    rows: Int, norms: SublayerNorms, index: Int, scratch: LayerScratch, workers: Workers
  ) {
    let buffers = scratch.gated(of: index)
    workers.run { worker in
      let normed = scratch.norm(rows: 0..<rows, norms, worker: worker)
      let panels = share(of: worker, among: workers.count)
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
  }

  /// Adds to `scratch.residual` what the part makes of the rows.
  func add(rows: Int, norms: SublayerNorms, index: Int, scratch: LayerScratch, workers: Workers) {
    norms.add(
      down, downBias, scratch.gated(of: index).gate, rows: rows, scratch: scratch,
      workers: workers)
  }

  /// Features that a worker computes together: whole groups of what `down` takes.
  var piece: Int { max(32, down.format.activationGroup) }

  /// A worker's panels of the gate, in whole pieces.
  private func share(of worker: Int, among workers: Int) -> Range<Int> {
    let panels = piece / 16
    let pieces = (0..<(gate.panelCount + panels - 1) / panels).share(of: worker, among: workers)
    return (pieces.lowerBound * panels..<pieces.upperBound * panels)
      .clamped(to: 0..<gate.panelCount)
  }
}
