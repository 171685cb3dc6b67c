/// The weights of what transforms a row by itself, of one kind or another.
///
/// A kind is a struct in a file of its own, with buffers of its own; this is the list of them.
package enum FeedForward: Sendable {
  case gated(GatedFeedForward)
  case plain(PlainFeedForward)

  package var matrices: [PackedMatrix] {
    switch self {
    case .gated(let part): part.matrices
    case .plain(let part): part.matrices
    }
  }

  /// The formats of the matrices that normed rows are multiplied with.
  var inputFormats: [WeightFormat] {
    switch self {
    case .gated(let part): [part.gate.format, part.up.format]
    case .plain(let part): [part.up.format]
    }
  }

  /// Adds to `scratch.residual` what the part makes of its rows.
  ///
  /// - Parameters:
  ///   - index: The layer's place among the layers of `scratch`.
  ///   - beforeAdding: Called when the stream has been read and nothing added to it yet.
  func forward(
    rows: Int, norms: SublayerNorms, index: Int, scratch: LayerScratch, workers: Workers,
    beforeAdding: () -> Void
  ) {
    switch (self, scratch.feedForward(of: index)) {
    case (.gated(let part), .gated(let buffers)):
      part.forward(
        rows: rows, norms: norms, buffers, scratch: scratch, workers: workers,
        beforeAdding: beforeAdding)
    case (.plain(let part), .plain(let buffers)):
      part.forward(
        rows: rows, norms: norms, buffers, scratch: scratch, workers: workers,
        beforeAdding: beforeAdding)
    case (.gated, _), (.plain, _): preconditionFailure("buffers of another kind")
    }
  }
}

extension PackedMatrix {
  /// Columns of rows for this matrix that one worker computes together: whole groups of what it takes.
  var columnPiece: Int { max(32, format.activationGroup) }

  /// A worker's panels of a matrix whose product's columns, in pieces, are the rows for another.
  func panels(of worker: Int, among workers: Int, piece: Int) -> Range<Int> {
    let panels = piece / 16
    let pieces = (0..<(panelCount + panels - 1) / panels).share(of: worker, among: workers)
    return (pieces.lowerBound * panels..<pieces.upperBound * panels).clamped(to: 0..<panelCount)
  }
}

/// What a feed-forward part computes of a pass's rows, by its kind.
enum FeedForwardBuffers: Sendable {
  case gated(GatedBuffers)
  case plain(PlainBuffers)

  init(_ part: FeedForward, maximumRows: Int) {
    switch part {
    case .gated(let part): self = .gated(GatedBuffers(part, maximumRows: maximumRows))
    case .plain(let part): self = .plain(PlainBuffers(part, maximumRows: maximumRows))
    }
  }

  /// Whether another layer can use them.
  func fit(_ part: FeedForward) -> Bool {
    switch (self, part) {
    case (.gated(let buffers), .gated(let part)): buffers.fit(part)
    case (.plain(let buffers), .plain(let part)): buffers.fit(part)
    case (.gated, _), (.plain, _): false
    }
  }
}
