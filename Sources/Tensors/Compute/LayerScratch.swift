/// The buffers of one pass over up to `maximumRows` rows; every layer uses the same ones.
public final class LayerScratch: Sendable {
  /// How many rows fit.
  public let maximumRows: Int
  /// The residual stream, `[maximumRows][hidden]`.
  public let residual: FloatBuffer

  private let normed: [ActivationRows]  // one a worker: [maximumRows][hidden]
  private let last: [ActivationRows]  // likewise, for the head
  let queries: FloatBuffer  // [maximumRows][queryWidth]
  let keys: FloatBuffer  // [maximumRows][keyValueWidth]
  let values: FloatBuffer  // [maximumRows][keyValueWidth]
  let attended: ActivationRows  // [maximumRows][queryWidth]
  let gate: ActivationRows  // [maximumRows][intermediate]
  let up: FloatBuffer  // [maximumRows][intermediate]

  /// Makes the buffers for `workers` threads.
  ///
  /// - Parameters:
  ///   - layers: Those that will run: rows are prepared for their formats. All have the same shape.
  ///   - head: The format of the matrix that the last norm is for.
  public init(layers: [DecoderLayer], head: WeightFormat, maximumRows: Int, workers: Int) {
    precondition(!layers.isEmpty, "a pass needs layers")
    let shape = layers[0].shape
    func formats(_ matrices: [KeyPath<DecoderLayer, PackedMatrix>]) -> Set<WeightFormat> {
      Set(layers.flatMap { layer in matrices.map { layer[keyPath: $0].format } })
    }
    self.maximumRows = maximumRows
    residual = FloatBuffer(count: maximumRows * shape.hidden)
    let inputs = formats([\.query, \.key, \.value, \.gate, \.up])
    normed = (0..<workers).map { _ in
      ActivationRows(maximumRows: maximumRows, width: shape.hidden, formats: inputs)
    }
    last =
      inputs == [head]
      ? normed
      : (0..<workers).map { _ in
        ActivationRows(maximumRows: maximumRows, width: shape.hidden, formats: [head])
      }
    queries = FloatBuffer(count: maximumRows * shape.queryWidth)
    keys = FloatBuffer(count: maximumRows * shape.keyValueWidth)
    values = FloatBuffer(count: maximumRows * shape.keyValueWidth)
    attended = ActivationRows(
      maximumRows: maximumRows, width: shape.queryWidth, formats: formats([\.output]),
      piece: shape.queryWidth / shape.keyValueHeads)
    gate = ActivationRows(
      maximumRows: maximumRows, width: shape.intermediate, formats: formats([\.down]),
      piece: DecoderLayer.featurePiece)
    up = FloatBuffer(count: maximumRows * shape.intermediate)
  }

  /// Norms rows of the residual into rows `0..<rows.count` of the worker's own, for products of layers.
  ///
  /// Every worker norms all rows for itself, which is cheaper than another region.
  func norm(
    rows: Range<Int>, weight: FloatBuffer, epsilon: Float, worker: Int
  ) -> ActivationRows {
    norm(rows, weight, epsilon, into: normed[worker])
  }

  /// The same for the head.
  public func normForHead(
    rows: Range<Int>, weight: FloatBuffer, epsilon: Float, worker: Int
  ) -> ActivationRows {
    norm(rows, weight, epsilon, into: last[worker])
  }

  /// The same for rows in any order: into rows `0..<rows.count`.
  public func normForHead(
    rows: UnsafeBufferPointer<Int>, weight: FloatBuffer, epsilon: Float, worker: Int
  ) -> ActivationRows {
    norm(rows, weight, epsilon, into: last[worker])
  }

  private func norm(
    _ rows: some Collection<Int>, _ weight: FloatBuffer, _ epsilon: Float,
    into normed: ActivationRows
  ) -> ActivationRows {
    for (index, row) in rows.enumerated() {
      Kernels.rmsNorm(
        residual.base + row * normed.width, weight: weight.base, into: normed.row(index),
        count: normed.width, epsilon: epsilon)
      normed.finish(row: index, columns: 0..<normed.width)
    }
    return normed
  }

  /// What a worker normed last for the head, `[maximumRows][hidden]`; until the next pass.
  public func normedForHead(_ worker: Int) -> ActivationRows { last[worker] }
}
