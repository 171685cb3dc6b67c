extension DecoderLayer {
  /// Takes a layer's weights from a source.
  ///
  /// - Throws: What the source throws for a tensor that is missing or has another shape.
  package init(_ source: any WeightSource, layout: LayerLayout, format: WeightFormat) throws {
    func matrix(_ role: LayerTensor) throws -> PackedMatrix {
      guard let tensor = layout[role] else { preconditionFailure("every layer has its matrices") }
      return try source.matrix(tensor, format: format)
    }
    func vector(_ role: LayerTensor) throws -> FloatBuffer? { try layout[role].map(source.values) }
    let design = layout.design
    let shape = design.shape
    mixerNorms = SublayerNorms(
      before: try vector(.mixerNorm), after: try vector(.mixerPostNorm), epsilon: shape.normEpsilon)
    feedForwardNorms = SublayerNorms(
      before: try vector(.feedForwardNorm), after: try vector(.feedForwardPostNorm),
      epsilon: shape.normEpsilon)
    mixer = Attention(
      shape: shape.attention, rope: design.attention.rope,
      scale: design.attention.scale ?? 1 / Float(shape.headDimension).squareRoot(),
      window: design.attention.window, normEpsilon: shape.normEpsilon, query: try matrix(.query),
      key: try matrix(.key), value: try matrix(.value), output: try matrix(.output),
      queryBias: try vector(.queryBias), keyBias: try vector(.keyBias),
      valueBias: try vector(.valueBias), outputBias: try vector(.outputBias),
      queryNorm: try vector(.queryNorm), keyNorm: try vector(.keyNorm))
    switch design.feedForward.kind {
    case .gated:
      feedForward = .gated(
        GatedFeedForward(
          activation: design.feedForward.activation, gate: try matrix(.gate), up: try matrix(.up),
          down: try matrix(.down), gateBias: try vector(.gateBias), upBias: try vector(.upBias),
          downBias: try vector(.downBias)))
    }
  }
}
