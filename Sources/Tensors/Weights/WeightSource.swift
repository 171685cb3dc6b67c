import Files

/// Where a model's weights come from: named tensors of known shapes, as f32.
package protocol WeightSource {
  /// The values of a tensor.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is missing or has another shape.
  func values(_ name: String, _ shape: [Int]) throws -> FloatBuffer

  /// A matrix that is stored as integers of just this format; nil if it is not.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is damaged or has another shape.
  func quantizedMatrix(
    _ name: String, rows: Int, columns: Int, format: WeightFormat
  ) throws -> PackedMatrix?

  /// An embedding that is stored as integers of just this format; nil if it is not.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is damaged or has another shape.
  func quantizedEmbedding(
    _ name: String, vocabularySize: Int, width: Int, format: WeightFormat
  ) throws -> TokenEmbedding?
}

extension WeightSource {
  package func quantizedMatrix(
    _ name: String, rows: Int, columns: Int, format: WeightFormat
  ) throws -> PackedMatrix? { nil }

  package func quantizedEmbedding(
    _ name: String, vocabularySize: Int, width: Int, format: WeightFormat
  ) throws -> TokenEmbedding? { nil }

  /// A tensor packed for products: as it is stored where the formats agree, else converted.
  ///
  /// - Throws: `SpeculateError` when the tensor is missing, has another shape or more columns than an
  ///   integer format has.
  package func matrix(
    _ name: String, rows: Int, columns: Int, format: WeightFormat
  ) throws -> PackedMatrix {
    guard format.integerBits == nil || columns <= WeightFormat.integerColumnLimit else {
      throw SpeculateError(
        "tensor \(quoted(name)) has \(columns) columns, but \(format) allows "
          + "\(WeightFormat.integerColumnLimit); use bf16")
    }
    if let matrix = try quantizedMatrix(name, rows: rows, columns: columns, format: format) {
      return matrix
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
    if let embedding = try quantizedEmbedding(
      name, vocabularySize: vocabularySize, width: width, format: format)
    {
      return embedding
    }
    return TokenEmbedding(
      try values(name, [vocabularySize, width]), vocabularySize: vocabularySize, width: width,
      format: format)
  }
}
