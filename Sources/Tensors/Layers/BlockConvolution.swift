/// The sizes of grouped dynamic convolutions around a layer's sublayers.
package struct ConvolutionShape: Sendable, Equatable {
  /// How many rows are mixed, from a row's own back to earlier ones.
  package var taps: Int
  /// Channels that share what a row adds to the kernel.
  package var group: Int

  package init(taps: Int, group: Int) {
    self.taps = taps
    self.group = group
  }

  /// Values that a row adds to the kernels of both sides.
  package func kernelWidth(hidden: Int) -> Int { 2 * taps * (hidden / group) }
}

/// A grouped dynamic convolution around a sublayer (DFlash 2; docs/algorithms.md 3.3): it mixes a row of a block with
/// those right before it in the block, before the sublayer (side 0) and behind it (side 1):
/// `y_j[c] = Σ_t (base[side][t][c] + k_j[side][t][c / group]) · x_{j−t}[c]`.
///
/// A row's own part of the kernel, k, is a product of the sublayer's normed input. Before a block's first row
/// there are zeros; rows that belong to no block stay as they are.
struct BlockConvolution: Sendable {
  let shape: ConvolutionShape
  /// [2 sides][taps][hidden]
  let base: FloatBuffer
  /// [2 · taps · hidden / group][hidden], its rows by side, tap and group.
  let projection: PackedMatrix

  private var hidden: Int { projection.columns }

  /// Computes the rows' own parts of the kernel, and leaves normed rows in every worker's own.
  func prepare(_ plan: RowPlan, norms: SublayerNorms, scratch: LayerScratch, workers: Workers) {
    guard let buffers = scratch.convolution else { preconditionFailure("no room for kernels") }
    for row in 0..<plan.count { buffers.places[row] = plan[row].place }
    workers.run { worker in
      let normed = scratch.normBeforeConvolution(rows: plan.count, norms, worker: worker)
      projection.multiply(
        normed, into: buffers.kernels.base, stride: projection.rows, count: plan.count,
        panels: (0..<projection.panelCount).share(of: worker, among: workers.count))
    }
  }

  /// Convolves all rows of a pass in place, from the last to the first, which later ones look back to.
  func mixInput(_ rows: ActivationRows, count: Int, _ buffers: ConvolutionBuffers) {
    for row in (0..<count).reversed() where buffers.places[row] >= 0 {
      mix(row, of: rows.values.base, side: 0, into: rows.row(row), buffers)
    }
  }

  /// Convolves a row of what came out of the sublayer.
  ///
  /// - Parameters:
  ///   - values: [rows][hidden]
  ///   - out: [hidden]
  func mixOutput(
    _ row: Int, of values: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>,
    _ buffers: ConvolutionBuffers
  ) {
    if buffers.places[row] >= 0 {
      mix(row, of: values, side: 1, into: out, buffers)
    } else {
      out.update(from: values + row * hidden, count: hidden)
    }
  }

  /// - Parameter out: The row itself, or other memory.
  private func mix(
    _ row: Int, of values: UnsafePointer<Float>, side: Int, into out: UnsafeMutablePointer<Float>,
    _ buffers: ConvolutionBuffers
  ) {
    let (taps, group, hidden) = (shape.taps, shape.group, hidden)
    let groups = hidden / group
    let own = buffers.kernels.base + row * projection.rows + side * taps * groups
    let base = self.base.base + side * taps * hidden
    let reach = min(taps, buffers.places[row] + 1)
    for tap in 0..<reach {
      let kernel = base + tap * hidden
      let source = values + (row - tap) * hidden
      for index in 0..<groups {
        let dynamic = own[tap * groups + index]
        for column in index * group..<(index + 1) * group {
          let term = (kernel[column] + dynamic) * source[column]
          // The row itself may be what is read: each value of it once, before it is written.
          out[column] = tap == 0 ? term : out[column] + term
        }
      }
    }
  }
}

/// What convolutions keep of a pass's rows.
final class ConvolutionBuffers: @unchecked Sendable {
  // Unchecked: places are written between regions, and workers divide kernels among themselves.

  /// The rows' own parts of the kernels: [maximumRows][kernel width].
  let kernels: FloatBuffer
  /// Each row's place in its block, −1 outside blocks: [maximumRows].
  let places: UnsafeMutableBufferPointer<Int>

  init(maximumRows: Int, width: Int) {
    kernels = FloatBuffer(count: maximumRows * width)
    places = .allocate(capacity: maximumRows)
    places.initialize(repeating: -1)
  }

  deinit { places.deallocate() }
}
