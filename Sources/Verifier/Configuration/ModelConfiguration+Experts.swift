import Files
import Tensors

extension ModelConfiguration {
  /// The same model with the names that a checkpoint has for experts: each by itself, or all in one tensor.
  func naming(experts checkpoint: Checkpoint) -> ModelConfiguration {
    guard family.tensors.layer.fusedExperts != nil else { return self }
    var apart = self
    apart.family.tensors.layer.fusedExperts?.holdsWeights = false
    let first = (0..<layerCount).lazy.compactMap { apart.layout(ofLayer: $0)[.expertGate(0)] }.first
    return first.map { checkpoint.shape(of: $0.storedName) != nil } ?? false ? apart : self
  }
}
