package import Tensors
import Verifier

/// A causal model's parameters in training: f32 values in one flat buffer, and the shape of the
/// layers that read them.
package final class CausalTrainingModel: TrainedModel {
  package let architecture: CausalArchitecture
  package let precision: ProductPrecision
  package let layout: ParameterLayout
  package let parameters: FloatBuffer

  let embedding: LinearLayer  // [vocabulary, hidden]: rows are looked up, and it is the tied head
  let layers: [TrainableLayer]
  let finalNorm: RMSNormLayer

  package init(
    _ architecture: CausalArchitecture, seed: UInt64, precision: ProductPrecision = .f32
  ) {
    self.architecture = architecture
    self.precision = precision
    var layout = ParameterLayout()
    embedding = LinearLayer(
      offset: layout.add(
        CausalArchitecture.tensors.embedding,
        shape: [architecture.vocabularySize, architecture.hiddenSize],
        initialization: .normal(deviation: 0.02)), inputs: architecture.hiddenSize,
      outputs: architecture.vocabularySize, product: MatrixProduct(precision))
    layers = (0..<architecture.layerCount).map {
      TrainableLayer(
        architecture.layout(ofLayer: $0), depth: architecture.layerCount, precision: precision,
        parameters: &layout)
    }
    finalNorm = RMSNormLayer(
      offset: layout.add(
        CausalArchitecture.tensors.finalNorm, shape: [architecture.hiddenSize],
        initialization: .ones), width: architecture.hiddenSize, epsilon: architecture.normEpsilon)
    self.layout = layout
    parameters = FloatBuffer(count: layout.count)
    layout.initialize(parameters, seed: seed)
  }
}
