/// What a checkpoint says of one tensor before any of its values is read.
package struct TensorInfo: Sendable, Equatable {
  /// The tensor's name in the checkpoint.
  package let name: String
  /// The type of its elements.
  package let type: ElementType
  /// Its shape, outermost dimension first; empty for a scalar. The product of the entries fits `Int`.
  package let shape: [Int]

  /// Describes a tensor.
  package init(name: String, type: ElementType, shape: [Int]) {
    self.name = name
    self.type = type
    self.shape = shape
  }

  /// How many elements the tensor has.
  package var count: Int { shape.reduce(1, *) }
}
