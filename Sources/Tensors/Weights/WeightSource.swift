import Files

/// Where a model's weights come from: named tensors of known shapes, as f32.
package protocol WeightSource {
  /// The values of a tensor.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is missing or has another shape.
  func values(_ name: String, _ shape: [Int]) throws -> FloatBuffer

  /// A matrix that is stored in just this format, taken as it is; nil if it is not.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is damaged or has another shape.
  func storedMatrix(
    _ name: String, rows: Int, columns: Int, format: WeightFormat
  ) throws -> PackedMatrix?

  /// An embedding that is stored in just this format, taken as it is; nil if it is not.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is damaged or has another shape.
  func storedEmbedding(
    _ name: String, vocabularySize: Int, width: Int, format: WeightFormat
  ) throws -> TokenEmbedding?
}

extension WeightSource {
  package func storedMatrix(
    _ name: String, rows: Int, columns: Int, format: WeightFormat
  ) throws -> PackedMatrix? { nil }

  package func storedEmbedding(
    _ name: String, vocabularySize: Int, width: Int, format: WeightFormat
  ) throws -> TokenEmbedding? { nil }

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
    if let matrix = try storedMatrix(name, rows: rows, columns: columns, format: format) {
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
    if let embedding = try storedEmbedding(
      name, vocabularySize: vocabularySize, width: width, format: format)
    {
      return embedding
    }
    return TokenEmbedding(
      try values(name, [vocabularySize, width]), vocabularySize: vocabularySize, width: width,
      format: format)
  }
}
