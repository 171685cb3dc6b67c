import Files
import Foundation
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

  /// Draws first values [count] from a seed. Each tensor has its own stream, keyed by its name, so that
  /// adding one leaves the others as they were.
  func initialize(_ parameters: FloatBuffer, seed: UInt64) {
    for entry in entries {
      let values = parameters.base + entry.offset
      switch entry.initialization {
      case .ones: values.update(repeating: 1, count: entry.count)
      case .zeros: values.update(repeating: 0, count: entry.count)
      case .normal(let deviation):
        var random = KeyedRandom(seed: seed, key: entry.name)
        Self.fillNormal(values, count: entry.count, deviation: deviation, random: &random)
      }
    }
  }

  /// Normal values by the Box–Muller transform, two from each pair of uniform ones.
  private static func fillNormal(
    _ values: UnsafeMutablePointer<Float>, count: Int, deviation: Float, random: inout KeyedRandom
  ) {
    var index = 0
    while index < count {
      let radius = (-2 * log(1 - random.uniform())).squareRoot()
      let angle = 2 * Double.pi * random.uniform()
      values[index] = Float(radius * cos(angle)) * deviation
      if index + 1 < count { values[index + 1] = Float(radius * sin(angle)) * deviation }
      index += 2
    }
  }

  /// What a file of `values` [count] is made of, rounded to a type.
  func tensors(
    _ values: FloatBuffer, as type: ElementType, prefix: String = ""
  ) -> [SafetensorsWriter.Entry] {
    entries.map {
      SafetensorsWriter.Entry(
        name: prefix + $0.name, shape: $0.shape, type: type, values: values.base + $0.offset)
    }
  }
}

/// A model in training: values in one flat buffer.
package protocol TrainedModel: AnyObject, Sendable {
  var layout: ParameterLayout { get }
  /// All values; written only by the optimizer, between passes.
  var parameters: FloatBuffer { get }
}

/// One thread's forward and backward passes over sequences, which add to a gradient.
package protocol GradientPass: AnyObject, Sendable {
  /// What gradients are added to, in the model's layout; at first a buffer of the pass's own.
  var gradients: FloatBuffer { get set }
  /// The most sequences that it takes at once.
  var sequences: Int { get }
  /// Called in backward passes with the first value from which on the gradient is what it will be, ever
  /// lower: they go from a model's last tensor to its first.
  var didSettle: (@Sendable (Int) -> Void)? { get set }
}

extension GradientPass {
  package var sequences: Int { 1 }

  package func clearGradients() { gradients.base.update(repeating: 0, count: gradients.count) }
}
