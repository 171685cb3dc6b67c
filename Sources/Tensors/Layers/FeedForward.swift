/// The weights of what transforms a row by itself, of one kind or another.
///
/// A kind is a struct in a file of its own, with buffers of its own; this is the list of them.
package enum FeedForward: Sendable {
  case gated(GatedFeedForward)

  package var matrices: [PackedMatrix] {
    switch self {
    case .gated(let part): part.matrices
    }
  }

  /// The formats of the matrices that normed rows are multiplied with.
  var inputFormats: [WeightFormat] {
    switch self {
    case .gated(let part): [part.gate.format, part.up.format]
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
    }
  }
}

/// What a feed-forward part computes of a pass's rows, by its kind.
enum FeedForwardBuffers: Sendable {
  case gated(GatedBuffers)

  init(_ part: FeedForward, maximumRows: Int) {
    switch part {
    case .gated(let part): self = .gated(GatedBuffers(part, maximumRows: maximumRows))
    }
  }

  /// Whether another layer can use them.
  func fit(_ part: FeedForward) -> Bool {
    switch (self, part) {
    case (.gated(let buffers), .gated(let part)): buffers.fit(part)
    }
  }
}
