internal import CKernels
package import Files

/// What becomes of one tensor, or of several that a GGUF file holds in one.
package struct GGUFConversion {
  /// What the file calls it.
  package let name: String
  /// How the file stores it.
  package let type: GGUFTensorType
  /// The type that was asked for, where rows don't fill its blocks.
  package let wanted: GGUFTensorType?

  package let shape: [Int]

  /// What it is made of, one behind the other, and the order of each one's rows.
  private let parts: [(origin: TensorOrigin, order: RowOrder)]
  private let columns: Int

  /// Names the place and the type of a tensor that has a place for itself.
  package init(_ origin: TensorOrigin, to place: GGUFSource.Place, type: GGUFTensorType) {
    self.init([(origin, place)], type: type)
  }

  /// Names the place and the type of what becomes one tensor.
  ///
  /// Vectors are stored in F32. Rows that don't fill the blocks of a type are stored in the next one
  /// whose blocks they fill, as llama.cpp does.
  ///
  /// - Parameter parts: At least one; their rows fill the tensor.
  package init(
    _ parts: [(origin: TensorOrigin, place: GGUFSource.Place)], type: GGUFTensorType
  ) {
    let (first, place) = parts[0]
    let wanted = first.shape.count > 1 ? type : .f32
    var fitting = wanted
    while let next = fitting.substitute, fitting.rowBytes(columns: first.columns) == nil {
      fitting = next
    }
    name = place.name
    shape = place.shape ?? place.rows.map { [$0] + first.shape.dropFirst() } ?? first.shape
    columns = first.columns
    self.parts = parts.sorted { $0.place.order.first < $1.place.order.first }.map {
      ($0.origin, RowOrder(pairs: $0.place.order.pairs))
    }
    self.type = fitting
    self.wanted = fitting == wanted ? nil : wanted
  }

  package var byteCount: Int {
    parts.reduce(0) { $0 + $1.origin.rows } * (type.rowBytes(columns: columns) ?? 0)
  }

  /// Whether values that are rounded to blocks already are rounded once more.
  package var roundsAgain: Bool {
    type.elementType == nil
      && parts.contains { $0.origin.blocks != nil && $0.origin.blocks != type }
  }

  /// The tensor to be written.
  ///
  /// - Parameter onPiece: Called after every piece, with whether the tensor is finished.
  package func output(
    onPiece: @escaping (_ finished: Bool) throws -> Void
  ) -> GGUFWriter.Entry {
    GGUFWriter.Entry(name: name, type: type, shape: shape) { sink in
      for (origin, order) in parts {
        if type == origin.type {
          try origin.eachStoredPiece(in: order) { try sink($0) }
        } else if let element = type.elementType {
          try origin.write(as: element, in: order, to: sink) { try onPiece(false) }
        } else {
          try writeBlocks(of: origin, in: order, to: sink) { try onPiece(false) }
        }
      }
      try onPiece(true)
    }
  }

  private func writeBlocks(
    of origin: TensorOrigin, in order: RowOrder,
    to sink: (UnsafeRawBufferPointer) throws -> Void, onPiece: () throws -> Void
  ) throws {
    let rowBytes = type.rowBytes(columns: columns) ?? 0
    try origin.eachPiece(in: order) { values, rows in
      let out = UnsafeMutableRawBufferPointer.allocate(byteCount: rows * rowBytes, alignment: 64)
      defer { out.deallocate() }
      if let base = out.baseAddress?.assumingMemoryBound(to: UInt8.self) {
        for row in 0..<rows {
          ck_narrow_blocks(
            ck_block_type(rawValue: type.id), values + row * columns, columns,
            base + row * rowBytes)
        }
      }
      try sink(UnsafeRawBufferPointer(out))
      try onPiece()
    }
  }
}

extension GGUFTensorType {
  /// The types that matrices are converted to: floats, and the blocks that are computed on.
  package static let written: [GGUFTensorType] = [
    .f32, .bf16, .f16, .q80, .q40, .q41, .q50, .q51, .mxfp4, .q2K, .q3K, .q4K, .q5K, .q6K,
  ]

  /// The type that stands in where rows don't fill blocks; nil if every row does.
  fileprivate var substitute: GGUFTensorType? {
    switch self {
    case .q2K, .q3K: .q40
    case .q4K: .q50
    case .q5K: .q51
    case .q6K: .q80
    default: blockColumns > 1 ? .f16 : nil
    }
  }
}
