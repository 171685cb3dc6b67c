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
    func norm(_ role: LayerTensor, bias: LayerTensor, if isThere: Bool) throws -> Norm? {
      guard isThere else { return nil }
      return try Norm(
        source, design.norm, weight: layout[role], bias: layout[bias], width: shape.hidden,
        epsilon: shape.normEpsilon)
    }
    func headNorm(_ role: LayerTensor, bias: LayerTensor, heads: Int) throws -> HeadNorm? {
      guard design.attention.headNorms != .none else { return nil }
      let stride = design.attention.headNorms == .each ? 0 : shape.headDimension
      return HeadNorm(
        norm: try Norm(
          source, design.attention.headNorm, weight: layout[role], bias: layout[bias],
          width: stride == 0 ? shape.headDimension : heads * stride, epsilon: shape.normEpsilon),
        stride: stride)
    }
    func convolution(_ base: LayerTensor, _ projection: LayerTensor) throws -> BlockConvolution? {
      guard let shape = design.convolution, let base = try vector(base) else { return nil }
      return BlockConvolution(shape: shape, base: base, projection: try matrix(projection))
    }
    mixerNorms = SublayerNorms(
      before: try norm(.mixerNorm, bias: .mixerNormBias, if: design.mixerNorms.isBefore),
      after: try norm(.mixerPostNorm, bias: .mixerPostNormBias, if: design.mixerNorms.isAfter),
      factor: design.residualScale,
      convolution: try convolution(.mixerConvolution, .mixerConvolutionProjection))
    isParallel = design.flow != .sequential
    feedForwardNorms = SublayerNorms(
      before: design.flow == .parallelSharingNorm
        ? mixerNorms.before
        : try norm(
          .feedForwardNorm, bias: .feedForwardNormBias, if: design.feedForwardNorms.isBefore),
      after: try norm(
        .feedForwardPostNorm, bias: .feedForwardPostNormBias, if: design.feedForwardNorms.isAfter),
      factor: design.residualScale,
      convolution: try convolution(.feedForwardConvolution, .feedForwardConvolutionProjection))
    mixer = Attention(
      shape: shape.attention, rope: design.attention.rope,
      scale: design.attention.scale ?? 1 / Float(shape.headDimension).squareRoot(),
      cap: design.attention.cap ?? 0, clip: design.attention.clip,
      window: design.attention.window, hidesLater: design.attention.hidesLater,
      query: try matrix(.query),
      key: try matrix(.key), value: try matrix(.value), output: try matrix(.output),
      queryBias: try vector(.queryBias), keyBias: try vector(.keyBias),
      valueBias: try vector(.valueBias), outputBias: try vector(.outputBias),
      queryNorm: try headNorm(.queryNorm, bias: .queryNormBias, heads: shape.heads),
      keyNorm: try headNorm(.keyNorm, bias: .keyNormBias, heads: shape.keyValueHeads),
      normsTogether: design.attention.headNorms == .together, sinks: try vector(.sinks))
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
    case .plain:
      feedForward = .plain(
        PlainFeedForward(
          activation: design.feedForward.activation, up: try matrix(.up), down: try matrix(.down),
          upBias: try vector(.upBias), downBias: try vector(.downBias)))
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
