package import Drafter
package import Tensors

/// A block drafter's parameters in training: f32 values in one flat buffer, and the
/// layers that read them. The forward pass is that of `DrafterRunner`.
package final class DrafterTrainingModel: TrainedModel {
  package let configuration: DrafterConfiguration
  package let objective: DraftObjective
  /// What it borrows from its target.
  package let target: TargetRows
  package let precision: ProductPrecision
  package let layout: ParameterLayout
  package let parameters: FloatBuffer

  /// What makes context of the target's features; nil for a drafter that sees tokens.
  let fusion: Fusion?
  let embedding: LinearLayer?  // [vocabulary][hidden], where it has its own
  let layers: [TrainableLayer]
  let finalNorm: RMSNormLayer
  let heads: [any HeadLayer]
  let needsDistribution: Bool

  /// `RMSNorm(fc · features)`.
  struct Fusion: Sendable {
    let matrix: LinearLayer  // [hidden][taps · hidden]
    let norm: RMSNormLayer
  }

  var hidden: Int { configuration.shape.hidden }
  var loss: DraftLoss {
    DraftLoss(
      target: target, own: embedding, hidden: hidden, choices: configuration.choices, heads: heads,
      objective: objective, needsDistribution: needsDistribution, product: MatrixProduct(precision))
  }

  /// A drafter with random first values drawn from `seed`; heads start as if there were none.
  ///
  /// - Parameter heads: How each of the configuration's heads is trained, in any order.
  package init(
    _ configuration: DrafterConfiguration, target: TargetRows,
    objective: DraftObjective = DraftObjective(), heads trained: [any HeadTraining] = [],
    seed: UInt64, precision: ProductPrecision = .f32
  ) {
    precondition(
      configuration.heads == DrafterHeads(trained.map(\.configuration)),
      "every head of the drafter is trained")
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
    func matrix(_ tensor: NamedShape, _ deviation: Float) -> LinearLayer {
      LinearLayer(
        offset: layout.add(tensor, initialization: .normal(deviation: deviation)),
        inputs: tensor.shape[1], outputs: tensor.shape[0], product: product)
    }
    func norm(_ tensor: NamedShape) -> RMSNormLayer {
      RMSNormLayer(
        offset: layout.add(tensor, initialization: .ones), width: tensor.shape[0],
        epsilon: shape.normEpsilon)
    }
    let tensors = configuration.layout
    fusion = tensors.fusion.map {
      Fusion(
        matrix: matrix($0.matrix, 1 / Float($0.matrix.shape[1]).squareRoot()), norm: norm($0.norm))
    }
    embedding = tensors.embedding.map { matrix($0, 0.02) }
    layers = (0..<configuration.layerCount).map {
      TrainableLayer(
        configuration.layout(ofLayer: $0), depth: configuration.layerCount, precision: precision,
        parameters: &layout)
    }
    finalNorm = norm(tensors.finalNorm)
    heads = configuration.placedHeads.compactMap { head, place in
      trained.first { $0.configuration.equals(head) }?
        .makeLayer(place, layout: &layout, product: product)
    }
    needsDistribution = objective.needsDistribution || trained.contains(where: \.needsDistribution)
    self.layout = layout
    parameters = FloatBuffer(count: layout.count)
    layout.initialize(parameters, seed: seed)
  }
}
