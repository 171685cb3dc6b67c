/// A tensor's name in a checkpoint and its shape, written once for loading, training and export.
package struct NamedShape: Sendable, Equatable {
  package let name: String
  /// The shape; linear weights are [out, in].
  package let shape: [Int]

  package init(_ name: String, _ shape: [Int]) {
    self.name = name
    self.shape = shape
  }
}

extension WeightSource {
  /// The values of a tensor.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is missing or has another shape.
  package func values(_ tensor: NamedShape) throws -> FloatBuffer {
    try values(tensor.name, tensor.shape)
  }

  /// A tensor of two dimensions packed for products.
  ///
  /// - Throws: `SpeculateError` as `matrix(_:rows:columns:format:)` does.
  package func matrix(_ tensor: NamedShape, format: WeightFormat) throws -> PackedMatrix {
    try matrix(tensor.name, rows: tensor.shape[0], columns: tensor.shape[1], format: format)
  }
}
