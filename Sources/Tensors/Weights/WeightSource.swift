import Files

/// Where a model's weights come from: named tensors of known shapes, as f32.
package protocol WeightSource {
  /// The values of a tensor.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is missing or has another shape.
  func values(_ name: String, _ shape: [Int]) throws -> FloatBuffer

  /// Whether there is a tensor of that name.
  func has(_ name: String) -> Bool

  /// A matrix that is stored in just this format, to be taken as it is; nil if it is not. Of files that
  /// mix formats it may be one in another format, if that is what the model is to have.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is damaged or has another shape.
  func stored(
    _ name: String, rows: Int, columns: Int, format: WeightFormat
  ) throws -> (any StoredMatrix)?
}

extension WeightSource {
  package func has(_ name: String) -> Bool { true }

  package func stored(
    _ name: String, rows: Int, columns: Int, format: WeightFormat
  ) throws -> (any StoredMatrix)? { nil }

  /// A tensor packed for products: as it is stored where the formats agree, else converted.
  ///
  /// - Throws: `SpeculateError` when the tensor is missing, has another shape or more columns than the
  ///   format has.
  package func matrix(
    _ name: String, rows: Int, columns: Int, format: WeightFormat
  ) throws -> PackedMatrix {
    if let complaint = format.complaint(columns: columns) {
      throw SpeculateError("tensor \(quoted(name)) \(complaint)")
    }
    try Memory.require(
      4 * rows * columns + format.coding.panelBytes(columns: columns) * (rows / 16 + 1),
      for: "the weights of tensor \(quoted(name))")
    if let stored = try stored(name, rows: rows, columns: columns, format: format) {
      return try PackedMatrix(
        stored, rows: rows, columns: columns, format: stored.format ?? format)
    }
    return PackedMatrix(
      try values(name, [rows, columns]), rows: rows, columns: columns, format: format)
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
    if let stored = try stored(name, rows: vocabularySize, columns: width, format: format) {
      return try TokenEmbedding(
        stored, vocabularySize: vocabularySize, width: width, format: format)
    }
    return TokenEmbedding(
      try values(name, [vocabularySize, width]), vocabularySize: vocabularySize, width: width,
      format: format)
  }
}
