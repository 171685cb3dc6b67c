/// The weights of what transforms a row by itself, of one kind or another.
///
/// A kind is a struct in a file of its own, with buffers of its own; this is the list of them.
package enum FeedForward: Sendable {
  case gated(GatedFeedForward)
  case experts(ExpertFeedForward)

  package var matrices: [PackedMatrix] {
    switch self {
    case .gated(let part): part.matrices
    case .experts(let part): part.matrices
    }
  }

  /// Bytes of the matrices that a pass over so many rows reads, as expected.
  func bytesRead(rows: Int) -> Double {
    if case .experts(let part) = self { return part.bytesRead(rows: rows) }
    return Double(matrices.reduce(0) { $0 + $1.byteCount })
  }

  /// Weights that one row is multiplied by.
  var weightsPerRow: Int {
    if case .experts(let part) = self { return part.weightsPerRow }
    return matrices.reduce(0) { $0 + $1.rows * $1.columns }
  }

  /// The formats of the matrices that normed rows are multiplied with.
  var inputFormats: [WeightFormat] {
    switch self {
    case .gated(let part): [part.gate.format, part.up.format]
    case .experts(let part): part.inputFormats
    }
  }

  /// Adds to `scratch.residual` what the part makes of its rows.
  ///
  /// - Parameter index: The layer's place among the layers of `scratch`.
  func forward(
    rows: Int, norms: SublayerNorms, index: Int, scratch: LayerScratch, workers: Workers
  ) {
    switch (self, scratch.feedForward(of: index)) {
    case (.gated(let part), .gated(let buffers)):
      part.forward(rows: rows, norms: norms, buffers, scratch: scratch, workers: workers)
    case (.experts(let part), .experts(let buffers)):
      part.forward(rows: rows, norms: norms, buffers, scratch: scratch, workers: workers)
    default: preconditionFailure("the buffers are of another kind")
    }
  }
}

/// What a feed-forward part computes of a pass's rows, by its kind.
enum FeedForwardBuffers: Sendable {
  case gated(GatedBuffers)
  case experts(ExpertBuffers)

  init(_ part: FeedForward, maximumRows: Int, workers: Int) {
    switch part {
    case .gated(let part): self = .gated(GatedBuffers(part, maximumRows: maximumRows))
    case .experts(let part):
      self = .experts(ExpertBuffers(part, maximumRows: maximumRows, workers: workers))
    }
  }

  /// Whether another layer can use them.
  func fit(_ part: FeedForward) -> Bool {
    switch (self, part) {
    case (.gated(let buffers), .gated(let part)): buffers.fit(part)
    case (.experts(let buffers), .experts(let part)): buffers.fit(part)
    default: false
    }
  }
}
