import Tensors
import Verifier

extension ModelWeights {
  /// The values of a tensor of a model that goes on training.
  ///
  /// Of tied tensors a file holds one, and which one is the writer's choice.
  func trainedValues(_ name: String, shape: [Int]) throws -> FloatBuffer {
    let names = CausalArchitecture.tensors
    let isHead = name == names.embedding && !holds(name)
    return try values(NamedShape(isHead ? names.head : name, shape))
  }
}
