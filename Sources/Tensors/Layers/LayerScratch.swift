/// The buffers of one pass over up to `maximumRows` rows; layers of equal sizes use the same ones.
package final class LayerScratch: Sendable {
  package let maximumRows: Int
  /// The residual stream, `[maximumRows][hidden]`.
  package let residual: FloatBuffer
  /// What comes out of a sublayer and is normed or multiplied before it is added, `[maximumRows][hidden]`;
  /// empty where no layer needs it.
  let output: FloatBuffer

  /// What convolutions keep of rows; nil where no layer has any.
  let convolution: ConvolutionBuffers?

  private let normed: [ActivationRows]  // one a worker: [maximumRows][hidden]
  private let last: [ActivationRows]  // likewise, for the head
  private let attention: [AttentionBuffers]  // one a layer
  private let feedForward: [FeedForwardBuffers]  // one a layer

  /// Makes the buffers for `workers` threads.
  ///
  /// - Parameters:
  ///   - layers: Those that will run: rows are prepared for their formats.
  ///   - head: The format of the matrix that the last norm is for.
  package init(layers: [DecoderLayer], head: WeightFormat, maximumRows: Int, workers: Int) {
    precondition(!layers.isEmpty, "a pass needs layers")
    let hidden = layers[0].hidden
    self.maximumRows = maximumRows
    residual = FloatBuffer(count: maximumRows * hidden)
    let needsOutput = layers.contains {
      $0.mixerNorms.needsOutput || $0.feedForwardNorms.needsOutput
    }
    output = FloatBuffer(count: needsOutput ? maximumRows * hidden : 0)
    convolution = layers.flatMap(\.convolutions).map(\.projection.rows).max().map {
      ConvolutionBuffers(maximumRows: maximumRows, width: $0)
    }
    let inputs = Set(layers.flatMap { $0.inputFormats })
    func rows(for formats: Set<WeightFormat>) -> [ActivationRows] {
      (0..<workers).map { _ in
        ActivationRows(maximumRows: maximumRows, width: hidden, formats: formats)
      }
    }
    normed = rows(for: inputs)
    last = inputs == [head] ? normed : rows(for: [head])
    attention = layers.map(\.mixer).reduce(into: []) { made, part in
      made.append(made.first { $0.fit(part) } ?? AttentionBuffers(part, maximumRows: maximumRows))
    }
    feedForward = layers.map(\.feedForward).reduce(into: []) { made, part in
      made.append(
        made.first { $0.fit(part) }
          ?? FeedForwardBuffers(part, maximumRows: maximumRows, workers: workers))
    }
  }

  /// The buffers of a layer's attention.
  func attention(of layer: Int) -> AttentionBuffers { attention[layer] }

  /// The buffers of a layer's feed-forward part.
  func feedForward(of layer: Int) -> FeedForwardBuffers { feedForward[layer] }

  /// Norms rows of the residual into rows `0..<rows.count` of the worker's own, for products of layers.
  ///
  /// Every worker norms all rows for itself, which is cheaper than another region. Without a norm
  /// before the sublayer the rows are copied, to be prepared.
  func norm(rows: Range<Int>, _ norms: SublayerNorms, worker: Int) -> ActivationRows {
    guard let convolution = norms.convolution, let buffers = self.convolution else {
      return norm(rows, norms.before, into: normed[worker])
    }
    // They were normed when the kernels were computed.
    let mixed = normed[worker]
    convolution.mixInput(mixed, count: rows.count, buffers)
    for row in rows { mixed.finish(row: row, columns: 0..<mixed.width) }
    return mixed
  }

  /// Norms the rows of a pass for the kernels of a convolution, which they go through afterwards.
  func normBeforeConvolution(rows: Int, _ norms: SublayerNorms, worker: Int) -> ActivationRows {
    norm(0..<rows, norms.before, into: normed[worker])
  }

  /// What a worker normed last for products of layers, `[maximumRows][hidden]`.
  func normed(_ worker: Int) -> ActivationRows { normed[worker] }

  /// Norms rows for the head.
  package func normForHead(
    rows: Range<Int>, _ norm: Norm, worker: Int
  ) -> ActivationRows {
    self.norm(rows, norm, into: last[worker])
  }

  /// Norms rows for the head that don't follow each other, in the order given.
  package func normForHead(
    rows: UnsafeBufferPointer<Int>, _ norm: Norm, worker: Int
  ) -> ActivationRows {
    self.norm(rows, norm, into: last[worker])
  }

  private func norm(
    _ rows: some Collection<Int>, _ norm: Norm?, into normed: ActivationRows
  ) -> ActivationRows {
    let width = normed.width
    for (index, row) in rows.enumerated() {
      let x = residual.base + row * width
      if let norm {
        norm.apply(x, into: normed.row(index), count: width)
      } else {
        normed.row(index).update(from: x, count: width)
      }
      normed.finish(row: index, columns: 0..<width)
    }
    return normed
  }

  /// What a worker normed last for the head, `[maximumRows][hidden]`; until the next pass.
  package func normedForHead(_ worker: Int) -> ActivationRows { last[worker] }
}

/// What attention computes of a pass's rows.
final class AttentionBuffers: Sendable {
  let queries: FloatBuffer  // [maximumRows][queryWidth]
  let keys: FloatBuffer  // [maximumRows][keyValueWidth]
  let values: FloatBuffer  // [maximumRows][keyValueWidth]
  let attended: ActivationRows  // [maximumRows][queryWidth]

  private let shape: AttentionShape
  private let output: WeightFormat

  init(_ attention: Attention, maximumRows: Int) {
    shape = attention.shape
    output = attention.output.format
    queries = FloatBuffer(count: maximumRows * shape.queryWidth)
    keys = FloatBuffer(count: maximumRows * shape.keyValueWidth)
    values = FloatBuffer(count: maximumRows * shape.keyValueWidth)
    attended = ActivationRows(
      maximumRows: maximumRows, width: shape.queryWidth, formats: [output],
      piece: shape.group * shape.headDimension)
  }

  /// Whether another layer can use them.
  func fit(_ attention: Attention) -> Bool {
    attention.shape == shape && attention.output.format == output
  }
}

extension DecoderLayer {
  /// The formats of the matrices that normed rows are multiplied with.
  fileprivate var inputFormats: [WeightFormat] {
    [mixer.query, mixer.key, mixer.value].map(\.format) + feedForward.inputFormats
      + convolutions.map(\.projection.format)
  }
}
