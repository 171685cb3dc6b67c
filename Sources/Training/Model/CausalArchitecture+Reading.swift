import Files
import Tensors
package import Verifier

extension CausalArchitecture {
  /// The architecture of a model that exists, to go on training it.
  ///
  /// - Parameter name: The model's folder, for messages.
  package init(_ configuration: ModelConfiguration, name: String) throws {
    let layers = (0..<configuration.layerCount).lazy.flatMap {
      configuration.design(ofLayer: $0).untrainable
    }
    let obstacle =
      layers.first ?? (configuration.tiesEmbeddings ? nil : "a head of its own")
      ?? (configuration.quantization == nil ? nil : "integer weights")
    if let obstacle {
      throw SpeculateError(
        "\(name) has \(obstacle), which can't be trained here: give a Qwen3 model with a tied head, no "
          + "biases, full attention, plain rotary angles and float weights")
    }
    self.init()
    vocabularySize = configuration.vocabularySize
    hiddenSize = configuration.hiddenSize
    intermediateSize = configuration.intermediateSize
    layerCount = configuration.layerCount
    headCount = configuration.headCount
    keyValueHeadCount = configuration.keyValueHeadCount
    headDimension = configuration.headDimension
    ropeTheta = configuration.ropeTheta
    normEpsilon = configuration.normEpsilon
    maximumContext = configuration.maximumContext
  }
}
