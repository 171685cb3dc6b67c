/// The buffers of one pass over up to `maximumRows` rows; every layer uses the same ones.
public final class LayerScratch: Sendable {
  /// How many rows fit.
  public let maximumRows: Int
  /// The residual stream, `[maximumRows][hidden]`.
  public let residual: FloatBuffer

  private let normed: [ActivationRows]  // one a worker: [maximumRows][hidden]
  let queries: FloatBuffer  // [maximumRows][queryWidth]
  let keys: FloatBuffer  // [maximumRows][keyValueWidth]
  let values: FloatBuffer  // [maximumRows][keyValueWidth]
  let attended: ActivationRows  // [maximumRows][queryWidth]
  let gate: ActivationRows  // [maximumRows][intermediate]
  let up: FloatBuffer  // [maximumRows][intermediate]

  /// Makes the buffers for `workers` threads.
  public init(shape: LayerShape, maximumRows: Int, workers: Int) {
    self.maximumRows = maximumRows
    residual = FloatBuffer(count: maximumRows * shape.hidden)
    normed = (0..<workers).map { _ in
      ActivationRows(maximumRows: maximumRows, width: shape.hidden)
    }
    queries = FloatBuffer(count: maximumRows * shape.queryWidth)
    keys = FloatBuffer(count: maximumRows * shape.keyValueWidth)
    values = FloatBuffer(count: maximumRows * shape.keyValueWidth)
    attended = ActivationRows(maximumRows: maximumRows, width: shape.queryWidth)
    gate = ActivationRows(maximumRows: maximumRows, width: shape.intermediate)
    up = FloatBuffer(count: maximumRows * shape.intermediate)
  }

  /// Norms rows of the residual into rows `0..<rows.count` of the worker's own, for products.
  ///
  /// Every worker norms all rows for itself, which is cheaper than another region.
  public func norm(
    rows: Range<Int>, weight: FloatBuffer, epsilon: Float, worker: Int
  ) -> ActivationRows {
    let normed = normed[worker]
    for (index, row) in rows.enumerated() {
      Kernels.rmsNorm(
        residual.base + row * normed.width, weight: weight.base, into: normed.row(index),
        count: normed.width, epsilon: epsilon)
      normed.finish(row: index, columns: 0..<normed.width)
    }
    return normed
  }

  /// What a worker normed last, `[maximumRows][hidden]`; free between layers.
  public func normed(_ worker: Int) -> ActivationRows { normed[worker] }
}
