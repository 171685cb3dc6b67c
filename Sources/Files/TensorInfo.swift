/// What a checkpoint says of one tensor before any of its values is read.
public struct TensorInfo: Sendable, Equatable {
  /// The tensor's name in the checkpoint.
  public let name: String
  /// The type of its elements.
  public let type: ElementType
  /// Its shape, outermost dimension first; empty for a scalar. The product of the entries fits `Int`.
  public let shape: [Int]

  /// Describes a tensor.
  public init(name: String, type: ElementType, shape: [Int]) {
    self.name = name
    self.type = type
    self.shape = shape
  }

  /// How many elements the tensor has.
  public var count: Int { shape.reduce(1, *) }
}
