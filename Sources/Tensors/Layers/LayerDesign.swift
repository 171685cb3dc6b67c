/// Everything about a decoder layer but its weights: sizes, parts and how they compute.
///
/// Layers of a model may differ in every respect but the width of the residual stream.
package struct LayerDesign: Sendable, Equatable {
  package var shape: LayerShape
  /// How rows look at one another.
  package var attention: AttentionOptions
  /// How a row is transformed by itself.
  package var feedForward = FeedForwardOptions()
  /// What every norm around a sublayer computes.
  package var norm = NormDesign()
  package var mixerNorms = NormPlacement.before
  package var feedForwardNorms = NormPlacement.before
  /// What a sublayer's output is multiplied by before it is added to the residual stream.
  package var residualScale: Float = 1
  package var flow = ResidualFlow.sequential
  /// What mixes rows of a block around each sublayer; nil for nothing.
  package var convolution: ConvolutionShape?

  /// Makes a design; what is left out is as in Llama.
  package init(shape: LayerShape, attention: AttentionOptions) {
    self.shape = shape
    self.attention = attention
  }
}

/// How attention computes, and which optional tensors it has.
package struct AttentionOptions: Sendable, Equatable {
  /// How queries and keys are rotated.
  package var rope: Rope
  /// The factor of scores; nil for 1 / √(width of a head).
  package var scale: Float?
  /// Scores s are cap · tanh(s / cap); nil for as they are.
  package var cap: Float?
  /// The greatest magnitude of queries, keys and values, before they are normed; nil for any.
  package var clip: Float?
  /// How many positions, its own included, a row sees at most; nil for all.
  package var window: Int?
  /// Whether a row sees no key behind its own, whatever it may see in other layers.
  package var hidesLater = false
  /// Whether each head's softmax has a score more, for no value.
  package var sinks = false
  /// How queries and keys are normed before they are rotated.
  package var headNorms = HeadNorms.none
  /// What these norms compute.
  package var headNorm = NormDesign()
  /// Whether the query, key and value products have biases.
  package var inputBias = false
  /// Whether the output product has a bias.
  package var outputBias = false

  package init(rope: Rope) { self.rope = rope }
}

/// How queries and keys are normed before they are rotated.
package enum HeadNorms: Sendable, Equatable {
  case none
  /// Each head by itself, all with the same scales.
  case each
  /// Each head by itself, with scales of its own.
  case eachOwn
  /// The heads of a row together.
  case together
}

/// How a feed-forward part computes, and which optional tensors it has.
package struct FeedForwardOptions: Sendable, Equatable {
  /// Which products it has and how they follow one another.
  package var kind = FeedForwardKind.gated
  package var activation = Activation.silu
  /// What takes the place of `activation(gate) · up`; nil for nothing.
  package var clamp: GateClamp?
  /// Whether the products have biases.
  package var bias = false

  package init() {}
}

/// How a layer's two sublayers follow one another.
package enum ResidualFlow: Sendable, Equatable {
  /// The feed-forward part takes the stream with what the mixer added.
  case sequential
  /// Both take the same stream, and what they make of it is added together.
  case parallel
  /// The same, and one norm serves both: that before the mixer.
  case parallelSharingNorm
}

/// What a feed-forward part computes; each kind has a struct of its own.
package enum FeedForwardKind: Sendable, Equatable {
  /// `down(activation(gate(x)) · up(x))`.
  case gated
  /// `down(activation(up(x)))`.
  case plain
  /// Several such parts, of which a row goes through some.
  case experts(ExpertOptions)

  /// Whether a row goes through some parts of several.
  package var hasExperts: Bool { if case .experts = self { true } else { false } }
}

/// Where a sublayer is normed.
package enum NormPlacement: Sendable, Equatable {
  /// What goes into it.
  case before
  /// What comes out of it, before this is added to the residual stream.
  case after
  /// Both.
  case both

  var isBefore: Bool { self != .after }
  var isAfter: Bool { self != .before }
}
