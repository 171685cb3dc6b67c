/// The weights of what transforms a row by itself, of one kind or another.
///
/// A kind is a struct in a file of its own, with buffers of its own; this is the list of them.
package enum FeedForward: Sendable {
  case gated(GatedFeedForward)
  case plain(PlainFeedForward)
  case experts(ExpertFeedForward)

  package var matrices: [PackedMatrix] {
    switch self {
    case .gated(let part): part.matrices
    case .plain(let part): part.matrices
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
    case .plain(let part): [part.up.format]
    case .experts(let part): part.inputFormats
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
    case (.experts(let part), .experts(let buffers)):
      part.forward(
        rows: rows, norms: norms, buffers, scratch: scratch, workers: workers,
        beforeAdding: beforeAdding)
    case (.gated, _), (.plain, _), (.experts, _): preconditionFailure("buffers of another kind")
    }
  }
}

extension PackedMatrix {
  /// Columns of rows for this matrix that one worker computes together: whole groups of what it takes.
  var columnPiece: Int { max(32, format.activationGroup) }

  /// A worker's panels of a matrix whose product's columns, in pieces, are the rows for another.
  func panels(of worker: Int, among workers: Int, piece: Int) -> Range<Int> {
    panels(ofPieces: (0..<pieceCount(piece)).share(of: worker, among: workers), piece: piece)
  }

  /// How many pieces of rows it has.
  func pieceCount(_ piece: Int) -> Int { (panelCount + piece / 16 - 1) / (piece / 16) }

  /// The panels of some pieces.
  func panels(ofPieces pieces: Range<Int>, piece: Int) -> Range<Int> {
    let panels = piece / 16
    return (pieces.lowerBound * panels..<pieces.upperBound * panels).clamped(to: 0..<panelCount)
  }
}

/// What a feed-forward part computes of a pass's rows, by its kind.
enum FeedForwardBuffers: Sendable {
  case gated(GatedBuffers)
  case plain(PlainBuffers)
  case experts(ExpertBuffers)

  init(_ part: FeedForward, maximumRows: Int, workers: Int) {
    switch part {
    case .gated(let part): self = .gated(GatedBuffers(part, maximumRows: maximumRows))
    case .plain(let part): self = .plain(PlainBuffers(part, maximumRows: maximumRows))
    case .experts(let part):
      self = .experts(ExpertBuffers(part, maximumRows: maximumRows, workers: workers))
    }
  }

  /// Whether another layer can use them.
  func fit(_ part: FeedForward) -> Bool {
    switch (self, part) {
    case (.gated(let buffers), .gated(let part)): buffers.fit(part)
    case (.plain(let buffers), .plain(let part)): buffers.fit(part)
    case (.experts(let buffers), .experts(let part)): buffers.fit(part)
    case (.gated, _), (.plain, _), (.experts, _): false
    }
  }
}
