package import Files
package import Tensors

/// The shape of a causal transformer and how its layers compute: what `config.json` says, checked.
///
/// Holds no weights and no run state. `init(directory:)` reads Hugging Face folders, `encoded()`
/// writes them.
package struct ModelConfiguration: Sendable, Equatable {
  package var family: ModelFamily
  package var vocabularySize: Int
  package var hiddenSize: Int
  /// The width inside the feed-forward block.
  package var intermediateSize: Int
  package var layerCount: Int
  package var headCount: Int
  /// The number of key and value heads; divides `headCount`.
  package var keyValueHeadCount: Int
  /// The width of one head; even.
  package var headDimension: Int
  /// ε of every RMSNorm.
  package var normEpsilon: Float
  package var ropeTheta: Double
  package var ropeScaling: RopeScaling
  /// The rotation of windowed layers, where it is another than that of the others.
  package var windowedRope: WindowedRope?
  /// Which layers rotate nothing; empty means none of them.
  package var unrotatedLayers: [Bool] = []
  /// The share of each head's values that is rotated.
  package var rotatedShare: Double
  /// Whether the head is the embedding.
  package var tiesEmbeddings: Bool
  /// The largest number of positions the model is meant for.
  package var maximumContext: Int
  /// Whether the q, k and v projections have biases.
  package var attentionBias: Bool
  /// Whether the output projection of attention has a bias.
  package var outputBias: Bool
  /// Whether the three feed-forward projections have biases.
  package var mlpBias: Bool
  /// How queries and keys are normed before the rotation.
  package var headNorms: HeadNorms
  /// How the two parts of a layer follow one another.
  package var flow: ResidualFlow
  /// Of the feed-forward part's gate.
  package var activation: Activation
  /// The optional numbers of the family that are in use.
  package var factors: [ModelFactor: Double]
  /// The mixture of experts that layers have; nil for none.
  package var experts: ExpertSettings?
  /// How many positions, itself included, a row of a windowed layer sees; nil if there is no window.
  package var slidingWindow: Int?
  /// Which layers the window applies to; empty means all of them.
  package var windowedLayers: [Bool]
  /// The tokens that end a text, in the order of the file; may be empty.
  package var endTokens: [Token]
  /// The token that begins a text, if the model has one.
  package var beginToken: Token?
  /// The type the weights are meant to be stored in, if the file says so and it is a known one.
  package var elementType: ElementType?
  /// How the parts of a converted model are stored; nil where all weights are floats.
  package var quantization: WeightFormats?

  /// Makes a configuration; what is left out follows the family.
  ///
  /// - Parameters: as the properties of the same names. `keyValueHeadCount` nil means `headCount`;
  ///   `headDimension` nil means `hiddenSize / headCount`; `rotatedShare` and `attentionBias` nil mean
  ///   the family's own; `outputBias` nil means that of `attentionBias` where a family may have one.
  ///
  /// Call `check()` where the numbers come from a user.
  package init(
    family: ModelFamily, vocabularySize: Int, hiddenSize: Int, intermediateSize: Int,
    layerCount: Int, headCount: Int, keyValueHeadCount: Int? = nil, headDimension: Int? = nil,
    normEpsilon: Float = 1e-6, ropeTheta: Double = 10_000, ropeScaling: RopeScaling = .none,
    rotatedShare: Double? = nil, tiesEmbeddings: Bool = false, maximumContext: Int = 2048,
    attentionBias: Bool? = nil,
    outputBias: Bool? = nil, mlpBias: Bool = false, slidingWindow: Int? = nil,
    windowedLayers: [Bool] = [], endTokens: [Token] = [], beginToken: Token? = nil,
    elementType: ElementType? = nil
  ) {
    self.family = family
    self.vocabularySize = vocabularySize
    self.hiddenSize = hiddenSize
    self.intermediateSize = intermediateSize
    self.layerCount = layerCount
    self.headCount = headCount
    self.keyValueHeadCount = keyValueHeadCount ?? headCount
    self.headDimension = headDimension ?? (headCount > 0 ? hiddenSize / headCount : 0)
    self.normEpsilon = normEpsilon
    self.ropeTheta = ropeTheta
    self.ropeScaling = ropeScaling
    self.rotatedShare = rotatedShare ?? family.rotation.share ?? 1
    self.tiesEmbeddings = tiesEmbeddings
    self.maximumContext = maximumContext
    let attentionBias = attentionBias ?? (family.inputBias == .always)
    self.attentionBias = attentionBias
    self.outputBias = outputBias ?? (attentionBias && family.outputBias != .never)
    self.mlpBias = mlpBias
    headNorms = family.switches[.headNorms] == false ? .none : family.headNorms
    flow = family.switches[.parallelLayers] == false ? .sequential : family.flow
    activation = family.activations[0]
    factors = family.factors.compactMapValues(\.self)
    self.slidingWindow = slidingWindow
    self.windowedLayers = windowedLayers
    self.endTokens = endTokens
    self.beginToken = beginToken
    self.elementType = elementType
    if family.rotation.unrotated == .all {
      unrotatedLayers = [Bool](repeating: true, count: max(0, min(layerCount, 1 << 12)))
    }
  }

  /// Whether a layer's rows see only the last `slidingWindow` positions.
  package func usesWindow(layer: Int) -> Bool {
    slidingWindow != nil && (windowedLayers.isEmpty || windowedLayers[layer])
  }

  /// The most positions of texts that are all rotated alike, however long they become.
  package var evenContext: Int { min(maximumContext, ropeScaling.limit ?? maximumContext) }

  package var layerShape: LayerShape {
    LayerShape(
      hidden: hiddenSize, heads: headCount, keyValueHeads: keyValueHeadCount,
      headDimension: headDimension, intermediate: intermediateSize, normEpsilon: normEpsilon)
  }

  /// The values of each head that are rotated.
  var rotatedDimension: Int {
    let values = Double(headDimension) * rotatedShare
    // A share that isn't exact in binary must not cost a value.
    return values >= 0 && values < 1e6 ? Int(values + 1e-6) : 0
  }

  /// How a layer rotates queries and keys.
  func rope(ofLayer index: Int) -> Rope {
    var rope = Rope(dimension: rotatedDimension, theta: ropeTheta, scaling: ropeScaling)
    if let windowedRope, usesWindow(layer: index) {
      (rope.theta, rope.scaling) = (windowedRope.theta, windowedRope.scaling)
    }
    rope.pairs = family.rotation.pairs
    if !unrotatedLayers.isEmpty && unrotatedLayers[index] { rope.dimension = 0 }
    return rope
  }

  /// What embeddings are multiplied by.
  package var embeddingScale: Float {
    Float(factors[.embedding] ?? 1) * (family.scalesEmbedding ? Float(hiddenSize).squareRoot() : 1)
  }

  /// What logits are multiplied by.
  package var logitScale: Float { Float(factors[.logit] ?? 1 / (factors[.logitDivisor] ?? 1)) }

  /// The bound that logits approach; nil for none.
  package var logitCap: Float? { factors[.logitCap].map { Float($0) } }

  /// Whether logits are more than what the head gives.
  package var changesLogits: Bool { logitScale != 1 || logitCap != nil }

  /// The factor of attention's scores; nil for 1 / √(width of a head).
  private var attentionScale: Float? {
    if let scale = factors[.attention] { return Float(scale) }
    if let scalar = factors[.queryScalar] { return Float(1 / scalar.squareRoot()) }
    return family.attentionScale
  }

  package func design(ofLayer index: Int) -> LayerDesign {
    var attention = AttentionOptions(rope: rope(ofLayer: index))
    attention.scale = attentionScale
    attention.cap = factors[.attentionCap].map { Float($0) }
    attention.clip = factors[.clip].map { Float($0) }
    attention.window = usesWindow(layer: index) ? slidingWindow : nil
    attention.sinks = family.sinks
    attention.headNorms = headNorms
    attention.headNorm = family.headNorm
    attention.inputBias = attentionBias
    attention.outputBias = outputBias
    var design = LayerDesign(shape: layerShape, attention: attention)
    design.feedForward.kind = family.feedForward
    design.feedForward.activation = activation
    design.feedForward.bias = mlpBias
    if let experts, experts.areIn(layer: index) {
      design.feedForward.kind = .experts(experts.options)
      design.feedForward.clamp = experts.clamp
    }
    design.residualScale = Float(factors[.residual] ?? 1)
    design.norm = family.norm
    design.flow = flow
    design.mixerNorms = family.mixerNorms
    design.feedForwardNorms = family.feedForwardNorms
    return design
  }

  /// The tensors of the norm before the head.
  package var finalNorm: (weight: NamedShape?, bias: NamedShape?) {
    let name = family.tensors.finalNorm
    return (
      family.norm.scale == .none ? nil : NamedShape(name, [hiddenSize]),
      family.norm.bias
        ? NamedShape(name.replacing(".weight", with: ".bias"), [hiddenSize]) : nil
    )
  }

  /// What is added to embeddings by their positions.
  package var positions: NamedShape? {
    family.tensors.positions.map { NamedShape($0, [maximumContext, hiddenSize]) }
  }

  /// What is added to logits.
  package var headBias: NamedShape? {
    family.tensors.headBias.map { NamedShape($0, [vocabularySize]) }
  }

  package func layout(ofLayer index: Int) -> LayerLayout {
    LayerLayout(
      design(ofLayer: index), names: family.tensors.layer,
      prefix: family.tensors.prefix(ofLayer: index))
  }
}

/// The rotation of windowed layers.
package struct WindowedRope: Sendable, Equatable {
  package var theta: Double
  package var scaling: RopeScaling

  package init(theta: Double, scaling: RopeScaling = .none) {
    self.theta = theta
    self.scaling = scaling
  }
}
