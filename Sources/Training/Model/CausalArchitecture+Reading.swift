import Files
import Tensors
public import Verifier

extension CausalArchitecture {
  /// The architecture of a model that exists, to go on training it.
  ///
  /// - Parameter name: The model's folder, for messages.
  /// - Throws: `SpeculateError` naming what training here has no backward pass for.
  public init(_ configuration: ModelConfiguration, name: String) throws {
    let obstacles = [
      (!configuration.headNorms, "no norms of query and key heads"),
      (!configuration.tiesEmbeddings, "a head of its own"),
      (configuration.attentionBias, "biases in attention"),
      (configuration.outputBias, "a bias on attention's output"),
      (configuration.mlpBias, "biases in the feed-forward part"),
      (configuration.slidingWindow != nil, "a sliding window"),
      (configuration.ropeScaling != .none, "stretched rotary angles"),
      (configuration.quantization != nil, "integer weights"),
    ]
    if let (_, what) = obstacles.first(where: \.0) {
      throw SpeculateError(
        "\(name) has \(what), which can't be trained here: give a Qwen3 model with a tied head, no "
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
