import Files
package import Tensors

/// How a tensor's first values are drawn.
package enum Initialization: Sendable, Equatable {
  /// Every value is 1: norms.
  case ones
  /// Every value is 0: heads that start as the identity.
  case zeros
  case normal(deviation: Float)
}

/// One named tensor's place in a flat buffer of parameters.
package struct ParameterEntry: Sendable, Equatable {
  package let name: String
  /// The tensor's shape; linear weights are [out, in].
  package let shape: [Int]
  package let offset: Int
  package let initialization: Initialization

  package var count: Int { shape.reduce(1, *) }
  package var range: Range<Int> { offset..<offset + count }
  /// Whether weight decay applies: to matrices, never to norms or biases.
  package var decays: Bool { shape.count > 1 }
}

/// The order of a model's tensors in one flat buffer.
///
/// Parameters, gradients and moments share it, so that the optimizer, the gradient's norm and a
/// checkpoint are loops over one block of memory, and matrices that are multiplied by the same rows
/// (q, k and v; gate and up) are one matrix by lying side by side.
package struct ParameterLayout: Sendable, Equatable {
  package private(set) var entries: [ParameterEntry] = []
  package private(set) var count = 0

  package init() {}

  /// Appends a tensor and returns its offset.
  package mutating func add(_ tensor: NamedShape, initialization: Initialization) -> Int {
    add(tensor.name, shape: tensor.shape, initialization: initialization)
  }

  package mutating func add(_ name: String, shape: [Int], initialization: Initialization) -> Int {
    let entry = ParameterEntry(
      name: name, shape: shape, offset: count, initialization: initialization)
    entries.append(entry)
    count += entry.count
    return entry.offset
  }

  /// What a file of `values` [count] is made of.
  ///
  /// - Parameters:
  ///   - type: What the values are rounded to.
  ///   - prefix: What the tensors' names begin with.
  func tensors(
    _ values: FloatBuffer, as type: ElementType, prefix: String = ""
  ) -> [SafetensorsWriter.Entry] {
    entries.map {
      SafetensorsWriter.Entry(
        name: prefix + $0.name, shape: $0.shape, type: type, values: values.base + $0.offset)
    }
  }
}
