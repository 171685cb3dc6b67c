/// The buffers of one pass over up to `maximumRows` rows; every layer uses the same ones.
public final class LayerScratch: Sendable {
  /// How many rows fit.
  public let maximumRows: Int
  /// The residual stream, `[maximumRows][hidden]`.
  public let residual: FloatBuffer

  let normed: [FloatBuffer]  // one a worker: [maximumRows][hidden]
  let queries: FloatBuffer  // [maximumRows][queryWidth]
  let keys: FloatBuffer  // [maximumRows][keyValueWidth]
  let values: FloatBuffer  // [maximumRows][keyValueWidth]
  let attended: FloatBuffer  // [maximumRows][queryWidth]
  let gate: FloatBuffer  // [maximumRows][intermediate]
  let up: FloatBuffer  // [maximumRows][intermediate]

  /// Makes the buffers for `workers` threads.
  public init(shape: LayerShape, maximumRows: Int, workers: Int) {
    self.maximumRows = maximumRows
    residual = FloatBuffer(count: maximumRows * shape.hidden)
    normed = (0..<workers).map { _ in FloatBuffer(count: maximumRows * shape.hidden) }
    queries = FloatBuffer(count: maximumRows * shape.queryWidth)
    keys = FloatBuffer(count: maximumRows * shape.keyValueWidth)
    values = FloatBuffer(count: maximumRows * shape.keyValueWidth)
    attended = FloatBuffer(count: maximumRows * shape.queryWidth)
    gate = FloatBuffer(count: maximumRows * shape.intermediate)
    up = FloatBuffer(count: maximumRows * shape.intermediate)
  }

  /// A worker's own rows, `[maximumRows][hidden]`: its normed input, free between layers.
  public func normed(_ worker: Int) -> UnsafeMutablePointer<Float> { normed[worker].base }
}
