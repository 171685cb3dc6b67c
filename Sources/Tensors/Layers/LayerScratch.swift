/// The buffers of one pass over up to `maximumRows` rows; layers of equal sizes use the same ones.
package final class LayerScratch: Sendable {
  /// How many rows fit.
  package let maximumRows: Int
  /// The residual stream, `[maximumRows][hidden]`.
  package let residual: FloatBuffer
  /// What comes out of a sublayer and is normed before it is added, `[maximumRows][hidden]`; empty where no
  /// layer has such a norm.
  let output: FloatBuffer

  private let normed: [ActivationRows]  // one a worker: [maximumRows][hidden]
  private let last: [ActivationRows]  // likewise, for the head
  private let attention: [AttentionBuffers]  // one a layer
  private let gated: [GatedBuffers]  // one a layer

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
    let normsOutput = layers.contains {
      $0.mixerNorms.after != nil || $0.feedForwardNorms.after != nil
    }
    output = FloatBuffer(count: normsOutput ? maximumRows * hidden : 0)
    let inputs = Set(layers.flatMap { $0.inputFormats })
    func rows(for formats: Set<WeightFormat>) -> [ActivationRows] {
      (0..<workers).map { _ in
        ActivationRows(maximumRows: maximumRows, width: hidden, formats: formats)
      }
    }
    normed = rows(for: inputs)
    last = inputs == [head] ? normed : rows(for: [head])
    var attention: [AttentionBuffers.Key: AttentionBuffers] = [:]
    var gated: [GatedBuffers.Key: GatedBuffers] = [:]
    self.attention = layers.map { layer in
      switch layer.mixer {
      case .attention(let part):
        Self.shared(AttentionBuffers.Key(part), in: &attention) {
          AttentionBuffers($0, maximumRows: maximumRows)
        }
      }
    }
    self.gated = layers.map { layer in
      switch layer.feedForward {
      case .gated(let part):
        Self.shared(GatedBuffers.Key(part), in: &gated) {
          GatedBuffers($0, maximumRows: maximumRows)
        }
      }
    }
  }

  private static func shared<Key: Hashable, Buffers>(
    _ key: Key, in made: inout [Key: Buffers], make: (Key) -> Buffers
  ) -> Buffers {
    if let buffers = made[key] { return buffers }
    let buffers = make(key)
    made[key] = buffers
    return buffers
  }

  /// The buffers of a layer's attention.
  func attention(of layer: Int) -> AttentionBuffers { attention[layer] }

  /// The buffers of a layer's gated feed-forward part.
  func gated(of layer: Int) -> GatedBuffers { gated[layer] }

  /// Norms rows of the residual into rows `0..<rows.count` of the worker's own, for products of layers.
  ///
  /// Every worker norms all rows for itself, which is cheaper than another region. Without a norm
  /// before the sublayer the rows are copied, to be prepared.
  func norm(rows: Range<Int>, _ norms: SublayerNorms, worker: Int) -> ActivationRows {
    guard let weight = norms.before else { return copy(rows, into: normed[worker]) }
    return norm(rows, weight, norms.epsilon, into: normed[worker])
  }

  /// Norms rows for the head.
  package func normForHead(
    rows: Range<Int>, weight: FloatBuffer, epsilon: Float, worker: Int
  ) -> ActivationRows {
    norm(rows, weight, epsilon, into: last[worker])
  }

  /// Norms rows for the head that don't follow each other, in the order given.
  package func normForHead(
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

  private func copy(_ rows: Range<Int>, into normed: ActivationRows) -> ActivationRows {
    for (index, row) in rows.enumerated() {
      normed.row(index).update(from: residual.base + row * normed.width, count: normed.width)
      normed.finish(row: index, columns: 0..<normed.width)
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

  /// What layers have in common that share buffers.
  struct Key: Hashable {
    let shape: AttentionShape
    let output: WeightFormat

    init(_ attention: Attention) {
      shape = attention.shape
      output = attention.output.format
    }
  }

  init(_ key: Key, maximumRows: Int) {
    let shape = key.shape
    queries = FloatBuffer(count: maximumRows * shape.queryWidth)
    keys = FloatBuffer(count: maximumRows * shape.keyValueWidth)
    values = FloatBuffer(count: maximumRows * shape.keyValueWidth)
    attended = ActivationRows(
      maximumRows: maximumRows, width: shape.queryWidth, formats: [key.output],
      piece: shape.group * shape.headDimension)
  }
}

/// What a gated feed-forward part computes of a pass's rows.
final class GatedBuffers: Sendable {
  let gate: ActivationRows  // [maximumRows][intermediate]
  let up: FloatBuffer  // [maximumRows][intermediate]

  /// What layers have in common that share buffers.
  struct Key: Hashable {
    let intermediate: Int
    let piece: Int
    let down: WeightFormat

    init(_ part: GatedFeedForward) {
      intermediate = part.gate.rows
      piece = part.piece
      down = part.down.format
    }
  }

  init(_ key: Key, maximumRows: Int) {
    gate = ActivationRows(
      maximumRows: maximumRows, width: key.intermediate, formats: [key.down], piece: key.piece)
    up = FloatBuffer(count: maximumRows * key.intermediate)
  }
}

extension DecoderLayer {
  /// The formats of the matrices that normed rows are multiplied with.
  fileprivate var inputFormats: [WeightFormat] {
    var formats: [WeightFormat]
    switch mixer {
    case .attention(let attention):
      formats = [attention.query.format, attention.key.format, attention.value.format]
    }
    switch feedForward {
    case .gated(let gated): formats += [gated.gate.format, gated.up.format]
    }
    return formats
  }
}
