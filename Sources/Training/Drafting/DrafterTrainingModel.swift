public import Drafter
public import Tensors

/// A conditioned block drafter's parameters in training: f32 values in one flat buffer, and the
/// layers that read them. The forward pass is that of `DrafterRunner`.
public final class DrafterTrainingModel: Sendable {
  /// The drafter's sizes.
  public let configuration: DrafterConfiguration
  /// What it is trained for.
  public let objective: DraftObjective
  /// What it borrows from its target.
  public let target: TargetRows
  /// The order of the tensors in `parameters`.
  public let layout: ParameterLayout
  /// All values; written only by the optimizer, between passes.
  public let parameters: FloatBuffer

  let fuse: LinearLayer  // [hidden][taps · hidden]
  let contextNorm: RMSNormLayer
  let layers: [DecoderLayerShape]
  let finalNorm: RMSNormLayer
  let markov: MarkovLayer?

  var hidden: Int { configuration.shape.hidden }
  var loss: DraftLoss {
    DraftLoss(
      head: target.head, hidden: hidden, choices: configuration.choices, markov: markov,
      objective: objective)
  }

  /// A drafter with random first values drawn from `seed`; a Markov head starts as the identity.
  public init(
    _ configuration: DrafterConfiguration, target: TargetRows,
    objective: DraftObjective = DraftObjective(), seed: UInt64
  ) {
    precondition(
      target.head.count == configuration.choices * configuration.shape.hidden,
      "the head has a row for each choice")
    self.configuration = configuration
    self.objective = objective
    self.target = target
    let shape = configuration.shape
    let features = configuration.targetLayers.count * shape.hidden
    var layout = ParameterLayout()
    fuse = LinearLayer(
      offset: layout.add(
        "fc.weight", shape: [shape.hidden, features],
        initialization: .normal(deviation: 1 / Float(features).squareRoot())),
      inputs: features, outputs: shape.hidden)
    func norm(_ name: String) -> RMSNormLayer {
      RMSNormLayer(
        offset: layout.add(name, shape: [shape.hidden], initialization: .ones),
        width: shape.hidden, epsilon: shape.normEpsilon)
    }
    contextNorm = norm("hidden_norm.weight")
    let architecture = CausalArchitecture(drafter: configuration)
    layers = (0..<configuration.layerCount).map {
      DecoderLayerShape(architecture, prefix: "layers.\($0).", layout: &layout)
    }
    finalNorm = norm("norm.weight")
    markov = configuration.markovRank.map { rank in
      MarkovLayer(
        embedding: layout.add(
          "markov_head.markov_w1.weight", shape: [configuration.vocabularySize, rank],
          initialization: .normal(deviation: 1 / Float(rank).squareRoot())),
        projection: LinearLayer(
          offset: layout.add(
            "markov_head.markov_w2.weight", shape: [configuration.choices, rank],
            initialization: .zeros),
          inputs: rank, outputs: configuration.choices))
    }
    self.layout = layout
    parameters = FloatBuffer(count: layout.count)
    ParameterInitializer.fill(parameters.base, layout: layout, seed: seed)
  }
}

extension CausalArchitecture {
  /// The sizes of a drafter's layers.
  init(drafter: DrafterConfiguration) {
    self.init()
    vocabularySize = drafter.vocabularySize
    hiddenSize = drafter.shape.hidden
    intermediateSize = drafter.shape.intermediate
    layerCount = drafter.layerCount
    headCount = drafter.shape.heads
    keyValueHeadCount = drafter.shape.keyValueHeads
    headDimension = drafter.shape.headDimension
    ropeTheta = drafter.ropeTheta
    normEpsilon = drafter.shape.normEpsilon
    maximumContext = drafter.maximumContext
  }
}
