public import Drafter
public import Tensors

/// A block drafter's parameters in training: f32 values in one flat buffer, and the
/// layers that read them. The forward pass is that of `DrafterRunner`.
public final class DrafterTrainingModel: TrainedModel {
  /// The drafter's sizes.
  public let configuration: DrafterConfiguration
  /// What it is trained for.
  public let objective: DraftObjective
  /// What it borrows from its target.
  public let target: TargetRows
  /// What the factors of its matrix products are rounded to.
  public let precision: ProductPrecision
  /// The order of the tensors in `parameters`.
  public let layout: ParameterLayout
  /// All values; written only by the optimizer, between passes.
  public let parameters: FloatBuffer

  /// What makes context of the target's features; nil for a drafter that sees tokens.
  let fusion: Fusion?
  /// The drafter's own embedding and head, [vocabulary][hidden]; nil where it borrows the target's.
  let embedding: LinearLayer?
  let layers: [DecoderLayerShape]
  let finalNorm: RMSNormLayer
  let markov: MarkovLayer?
  let confidence: ConfidenceLayer?

  /// `RMSNorm(fc · features)`.
  struct Fusion: Sendable {
    let matrix: LinearLayer  // [hidden][taps · hidden]
    let norm: RMSNormLayer
  }

  var hidden: Int { configuration.shape.hidden }
  var loss: DraftLoss {
    DraftLoss(
      target: target, own: embedding, hidden: hidden, choices: configuration.choices,
      markov: markov, confidence: confidence, objective: objective,
      product: MatrixProduct(precision))
  }

  /// A drafter with random first values drawn from `seed`; a Markov head starts as the identity,
  /// a confidence head as the drafts' probabilities.
  public init(
    _ configuration: DrafterConfiguration, target: TargetRows,
    objective: DraftObjective = DraftObjective(), seed: UInt64,
    precision: ProductPrecision = .f32
  ) {
    precondition(
      target.head.count == configuration.choices * target.embedding.width,
      "the head has a row for each choice")
    precondition(
      configuration.ownsEmbedding || target.embedding.width == configuration.shape.hidden,
      "a borrowed embedding has the drafter's width")
    self.configuration = configuration
    self.objective = objective
    self.target = target
    self.precision = precision
    let product = MatrixProduct(precision)
    let shape = configuration.shape
    var layout = ParameterLayout()
    func matrix(_ name: String, _ rows: Int, _ columns: Int, _ deviation: Float) -> LinearLayer {
      LinearLayer(
        offset: layout.add(
          name, shape: [rows, columns], initialization: .normal(deviation: deviation)),
        inputs: columns, outputs: rows, product: product)
    }
    func norm(_ name: String) -> RMSNormLayer {
      RMSNormLayer(
        offset: layout.add(name, shape: [shape.hidden], initialization: .ones),
        width: shape.hidden, epsilon: shape.normEpsilon)
    }
    let features = configuration.targetLayers.count * shape.hidden
    fusion =
      configuration.kind == .tokens
      ? nil
      : Fusion(
        matrix: matrix(
          "fc.weight", shape.hidden, features, 1 / Float(features).squareRoot()),
        norm: norm("hidden_norm.weight"))
    embedding =
      configuration.ownsEmbedding
      ? matrix(BlockDrafter.embeddingName, configuration.vocabularySize, shape.hidden, 0.02) : nil
    let architecture = CausalArchitecture(drafter: configuration)
    layers = (0..<configuration.layerCount).map {
      DecoderLayerShape(
        architecture, precision: precision, prefix: "layers.\($0).", layout: &layout)
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
          inputs: rank, outputs: configuration.choices, product: product))
    }
    confidence =
      configuration.hasConfidenceHead
      ? ConfidenceLayer(
        hidden: shape.hidden, rank: configuration.markovRank ?? 0, layout: &layout) : nil
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
