package import Files

/// What becomes of one tensor of a model that is converted to a folder.
package struct TensorConversion {
  private let origin: TensorOrigin
  private let newName: String
  /// nil for floats of `type`.
  private let format: WeightFormat?
  private let type: ElementType

  /// A matrix that is converted to a format.
  ///
  /// - Throws: `SpeculateError` if it is no matrix, or the format doesn't allow its columns.
  package init(
    _ origin: TensorOrigin, as newName: String, to format: WeightFormat, path: String
  ) throws {
    guard origin.shape.count == 2, origin.shape[1] > 0 else {
      throw SpeculateError(
        "\(path): tensor \(quoted(origin.name)) has shape \(origin.shape), but a matrix is needed; "
          + "the checkpoint is damaged or of another model")
    }
    if let complaint = format.complaint(columns: origin.columns) {
      throw SpeculateError("\(path): tensor \(quoted(origin.name)) \(complaint)")
    }
    self.origin = origin
    self.newName = newName
    self.format = format
    type = .f32
  }

  /// A tensor that stays as it is stored; one of blocks becomes f32. With `narrows`, values that bf16
  /// holds as they are become bf16.
  ///
  /// - Throws: `SpeculateError` if the values can't be read.
  package init(keeping origin: TensorOrigin, narrows: Bool = false) throws {
    self.origin = origin
    newName = origin.name
    format = nil
    type = try narrows && origin.fitsBF16() ? .bf16 : origin.type.elementType ?? .f32
  }

  /// The tensors that are written for it; nil for one of floats under its name.
  private var parts: [StoredPart]? {
    format?.storedParts(rows: origin.rows, columns: origin.columns)
  }

  package var outputCount: Int { parts?.count ?? 1 }

  package var convertedBytes: Int {
    parts?.reduce(0) { $0 + $1.byteCount } ?? origin.rows * origin.columns * type.byteCount
  }

  /// The tensors to be written.
  ///
  /// - Parameter onPiece: Called after every piece, with whether a tensor is finished.
  package func outputs(
    onPiece: @escaping (_ finished: Bool) throws -> Void
  ) -> [SafetensorsWriter.Entry] {
    guard let format, let parts else { return [floats(onPiece: onPiece)] }
    return parts.enumerated().map { index, part in
      SafetensorsWriter.Entry(name: newName + part.suffix, shape: part.shape, type: part.type) {
        sink in
        try origin.eachPiece { values, rows in
          try format.store(values, rows: rows, columns: origin.columns, part: index, to: sink)
          try onPiece(false)
        }
        try onPiece(true)
      }
    }
  }

  private func floats(
    onPiece: @escaping (_ finished: Bool) throws -> Void
  ) -> SafetensorsWriter.Entry {
    SafetensorsWriter.Entry(name: newName, shape: origin.shape, type: StoredType(type)) { sink in
      try origin.write(as: type, to: sink) { try onPiece(false) }
      try onPiece(true)
    }
  }
}

extension TensorOrigin {
  /// Hands the tensor over as floats of a type: as it is where it is stored so.
  func write(
    as element: ElementType, in order: RowOrder = .plain,
    to sink: (UnsafeRawBufferPointer) throws -> Void, onPiece: () throws -> Void
  ) throws {
    if type.elementType == element {
      try eachStoredPiece(in: order) { try sink($0) }
      return try onPiece()
    }
    try eachPiece(in: order) { values, rows in
      let count = rows * columns
      let out = UnsafeMutableRawBufferPointer.allocate(
        byteCount: count * element.byteCount, alignment: 64)
      defer { out.deallocate() }
      if let base = out.baseAddress {
        FloatConversion.narrow(values, to: element, into: base, count: count)
      }
      try sink(UnsafeRawBufferPointer(out))
      try onPiece()
    }
  }
}
