extension DecoderLayer {
  /// Takes a layer's weights from a source.
  ///
  /// - Throws: What the source throws for a tensor that is missing or has another shape.
  package init(_ source: any WeightSource, layout: LayerLayout, format: WeightFormat) throws {
    func matrix(_ role: LayerTensor) throws -> PackedMatrix {
      guard let tensor = layout[role] else { preconditionFailure("every layer has its matrices") }
      return try source.matrix(tensor, format: role.isRouter ? .f32 : format)
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
    func gated(
      _ matrices: (LayerTensor, LayerTensor, LayerTensor),
      biases: (LayerTensor, LayerTensor, LayerTensor)?
    ) throws -> GatedFeedForward {
      GatedFeedForward(
        activation: design.feedForward.activation, clamp: design.feedForward.clamp,
        gate: try matrix(matrices.0), up: try matrix(matrices.1), down: try matrix(matrices.2),
        gateBias: try biases.flatMap { try vector($0.0) },
        upBias: try biases.flatMap { try vector($0.1) },
        downBias: try biases.flatMap { try vector($0.2) })
    }
    switch design.feedForward.kind {
    case .gated:
      feedForward = .gated(
        try gated((.gate, .up, .down), biases: (.gateBias, .upBias, .downBias)))
    case .experts(let options):
      feedForward = .experts(
        ExpertFeedForward(
          router: try matrix(.router), routerBias: try vector(.routerBias),
          chosen: options.chosen, weighting: options.weighting,
          experts: try (0..<options.count).map {
            try gated(
              (.expertGate($0), .expertUp($0), .expertDown($0)),
              biases: (.expertGateBias($0), .expertUpBias($0), .expertDownBias($0)))
          },
          shared: try options.shared.map { _ in
            try gated((.sharedGate, .sharedUp, .sharedDown), biases: nil)
          },
          sharedGate: try layout[.sharedRouter].map { _ in try matrix(.sharedRouter) }))
    }
  }
}
