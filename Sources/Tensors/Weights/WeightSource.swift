import Files

/// Where a model's weights come from: named tensors of known shapes, as f32.
package protocol WeightSource {
  /// The values of a tensor, in the order of the model.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is missing or has another shape.
  func values(_ tensor: NamedShape) throws -> FloatBuffer

  /// Whether there is a tensor of this name.
  func holds(_ name: String) -> Bool

  /// A matrix that is stored in just this format, to be taken as it is; nil if it is not. Of files that
  /// mix formats it may be one in another format, if that is what the model is to have.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is damaged or has another shape.
  func stored(_ tensor: NamedShape, format: WeightFormat) throws -> (any StoredMatrix)?
}

extension WeightSource {
  package func holds(_ name: String) -> Bool { true }

  package func stored(_ tensor: NamedShape, format: WeightFormat) throws -> (any StoredMatrix)? {
    nil
  }

  /// The values of a tensor that is stored by itself.
  ///
  /// - Throws: As `values(_:)`.
  package func values(_ name: String, _ shape: [Int]) throws -> FloatBuffer {
    try values(NamedShape(name, shape))
  }

  /// A tensor of two dimensions packed for products: as it is stored where the formats agree, else
  /// converted.
  ///
  /// - Throws: `SpeculateError` when the tensor is missing, has another shape or more columns than the
  ///   format has.
  package func matrix(_ tensor: NamedShape, format: WeightFormat) throws -> PackedMatrix {
    let (rows, columns) = (tensor.shape[0], tensor.shape[1])
    if let complaint = format.complaint(columns: columns) {
      throw SpeculateError("tensor \(quoted(tensor.storedName)) \(complaint)")
    }
    try Memory.require(
      4 * rows * columns + format.coding.panelBytes(columns: columns) * (rows / 16 + 1),
      for: "the weights of tensor \(quoted(tensor.storedName))")
    if let stored = try stored(tensor, format: format) {
      return try PackedMatrix(
        stored, rows: rows, columns: columns, format: stored.format ?? format)
    }
    return PackedMatrix(try values(tensor), rows: rows, columns: columns, format: format)
  }

  /// A matrix that is stored by itself.
  ///
  /// - Throws: As `matrix(_:format:)`.
  package func matrix(
    _ name: String, rows: Int, columns: Int, format: WeightFormat
  ) throws -> PackedMatrix {
    try matrix(NamedShape(name, [rows, columns]), format: format)
  }

  /// A tensor as an embedding: as it is stored where the formats agree, else converted.
  ///
  /// - Throws: `SpeculateError` when the tensor is missing or has another shape.
  package func embedding(
    _ name: String, vocabularySize: Int, width: Int, format: WeightFormat
  ) throws -> TokenEmbedding {
    try Memory.require(
      (4 * width + format.coding.rowBytes(columns: width)) * vocabularySize,
      for: "the weights of tensor \(quoted(name))")
    let tensor = NamedShape(name, [vocabularySize, width])
    if let stored = try stored(tensor, format: format) {
      return try TokenEmbedding(
        stored, vocabularySize: vocabularySize, width: width, format: format)
    }
    return TokenEmbedding(
      try values(tensor), vocabularySize: vocabularySize, width: width, format: format)
  }
}
