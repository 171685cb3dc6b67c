/// The norms around a mixer or a feed-forward part, and how its output joins the residual stream.
package struct SublayerNorms: Sendable {
  /// The norm of what goes in; nil where rows go in as they are.
  var before: Norm?
  /// The norm of what comes out; nil where it is added as it is.
  var after: Norm?
  /// What is added to the residual stream is multiplied by it.
  var factor: Float = 1
  /// What mixes rows of blocks before and behind the sublayer; nil for nothing.
  var convolution: BlockConvolution?

  /// Whether what comes out can't be added by the product itself.
  var needsOutput: Bool { after != nil || factor != 1 || convolution != nil }

  /// Multiplies a sublayer's last matrix with its rows and adds the result to the residual stream.
  ///
  /// Without a norm or a factor after the sublayer the product adds to the stream itself. With one, the
  /// product is a region of its own, because a norm needs whole rows.
  func add(
    _ matrix: PackedMatrix, _ bias: FloatBuffer?, _ input: ActivationRows, rows: Int,
    scratch: LayerScratch, workers: Workers
  ) {
    let hidden = matrix.rows
    let out = needsOutput ? scratch.output : scratch.residual
    workers.run { worker in
      matrix.multiply(
        input, into: out.base, stride: hidden, count: rows,
        panels: (0..<matrix.panelCount).share(of: worker, among: workers.count),
        bias: bias.map { UnsafePointer($0.base) }, accumulates: !needsOutput)
    }
    addOutput(rows: rows, width: hidden, scratch: scratch, workers: workers)
  }

  /// Norms and scales what a sublayer put into `scratch.output` and adds it to the residual stream; where
  /// products add to the stream themselves there is nothing to do.
  func addOutput(rows: Int, width hidden: Int, scratch: LayerScratch, workers: Workers) {
    guard needsOutput else { return }
    workers.run { worker in
      for row in (0..<rows).share(of: worker, among: workers.count) {
        var values = scratch.output.base + row * hidden
        if let convolution, let buffers = scratch.convolution {
          // Other workers still look at the row.
          let own = scratch.normed(worker).row(row)
          convolution.mixOutput(row, of: scratch.output.base, into: own, buffers)
          values = own
        }
        after?.apply(values, into: values, count: hidden)
        if factor != 1 { Kernels.scale(values, by: factor, count: hidden) }
        Kernels.add(values, to: scratch.residual.base + row * hidden, count: hidden)
      }
    }
  }
}
