public import Files
public import Tensors

/// The shape of a causal transformer and how its layers compute: what `config.json` says, checked.
///
/// Holds no weights and no run state. `init(directory:)` reads Hugging Face folders, `encoded()`
/// writes them.
public struct ModelConfiguration: Sendable, Equatable {
  /// The architectures that are implemented, by their `model_type`.
  public enum Family: String, Sendable, CaseIterable {
    /// Llama 1 to 3.
    case llama
    /// Mistral: Llama with a sliding window.
    case mistral
    /// Qwen 2 and 2.5: Llama with biases on q, k and v.
    case qwen2
    /// Qwen 3, dense: Llama with normed q and k heads.
    case qwen3

    /// The name of the class in `architectures`.
    public var architecture: String {
      switch self {
      case .llama: "LlamaForCausalLM"
      case .mistral: "MistralForCausalLM"
      case .qwen2: "Qwen2ForCausalLM"
      case .qwen3: "Qwen3ForCausalLM"
      }
    }
  }

  /// Which architecture the checkpoint belongs to.
  public var family: Family
  /// Rows of the embedding and of the head.
  public var vocabularySize: Int
  /// The width of the residual stream.
  public var hiddenSize: Int
  /// The width inside the feed-forward block.
  public var intermediateSize: Int
  /// The number of decoder layers.
  public var layerCount: Int
  /// The number of query heads.
  public var headCount: Int
  /// The number of key and value heads; divides `headCount`.
  public var keyValueHeadCount: Int
  /// The width of one head; even.
  public var headDimension: Int
  /// ε of every RMSNorm.
  public var normEpsilon: Float
  /// The base of the rotary frequencies.
  public var ropeTheta: Double
  /// How the rotary frequencies are stretched.
  public var ropeScaling: RopeScaling
  /// Whether the head is the embedding.
  public var tiesEmbeddings: Bool
  /// The largest number of positions the model is meant for.
  public var maximumContext: Int
  /// Whether the q, k and v projections have biases.
  public var attentionBias: Bool
  /// Whether the output projection of attention has a bias.
  public var outputBias: Bool
  /// Whether the three feed-forward projections have biases.
  public var mlpBias: Bool
  /// Whether every q and k head is normed (RMSNorm over `headDimension`) before the rotation.
  public var headNorms: Bool
  /// How many positions, itself included, a row of a windowed layer sees; nil if there is no window.
  public var slidingWindow: Int?
  /// Which layers the window applies to; empty means all of them.
  public var windowedLayers: [Bool]
  /// The tokens that end a text, in the order of the file; may be empty.
  public var endTokens: [Token]
  /// The token that begins a text, if the model has one.
  public var beginToken: Token?
  /// The type the weights are meant to be stored in, if the file says so and it is a known one.
  public var elementType: ElementType?
  /// How the parts of a converted model are stored; nil where all weights are floats.
  public var quantization: WeightFormats?

  /// Makes a configuration; what is left out follows the family.
  ///
  /// - Parameters: as the properties of the same names. `keyValueHeadCount` nil means `headCount`;
  ///   `headDimension` nil means `hiddenSize / headCount`; `attentionBias` nil means the family's own:
  ///   true for Qwen 2; `outputBias` nil means that of `attentionBias` except for Qwen 2, which has
  ///   none.
  ///
  /// Call `check()` where the numbers come from a user.
  public init(
    family: Family, vocabularySize: Int, hiddenSize: Int, intermediateSize: Int, layerCount: Int,
    headCount: Int, keyValueHeadCount: Int? = nil, headDimension: Int? = nil,
    normEpsilon: Float = 1e-6, ropeTheta: Double = 10_000, ropeScaling: RopeScaling = .none,
    tiesEmbeddings: Bool = false, maximumContext: Int = 2048, attentionBias: Bool? = nil,
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
    self.tiesEmbeddings = tiesEmbeddings
    self.maximumContext = maximumContext
    let attentionBias = attentionBias ?? (family == .qwen2)
    self.attentionBias = attentionBias
    self.outputBias = outputBias ?? (attentionBias && family != .qwen2)
    self.mlpBias = mlpBias
    headNorms = family == .qwen3
    self.slidingWindow = slidingWindow
    self.windowedLayers = windowedLayers
    self.endTokens = endTokens
    self.beginToken = beginToken
    self.elementType = elementType
  }

  /// Whether a layer's rows see only the last `slidingWindow` positions.
  public func usesWindow(layer: Int) -> Bool {
    slidingWindow != nil && (windowedLayers.isEmpty || windowedLayers[layer])
  }
}
