package import Tensors

/// A model in training: values in one flat buffer.
package protocol TrainedModel: AnyObject, Sendable {
  var layout: ParameterLayout { get }
  /// All values; written only by the optimizer, between passes.
  var parameters: FloatBuffer { get }
}

/// One thread's forward and backward passes over sequences, with a gradient of its own.
package protocol GradientPass: AnyObject, Sendable {
  /// The sum of gradients since ``clearGradients()``, in the model's layout.
  var gradients: FloatBuffer { get }
  /// The most sequences that it takes at once.
  var sequences: Int { get }
}

extension GradientPass {
  package var sequences: Int { 1 }

  package func clearGradients() { gradients.base.update(repeating: 0, count: gradients.count) }
}
