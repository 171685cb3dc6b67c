package import Drafter
package import Files
package import Speculate
package import Tensors
package import Verifier

/// Small random models on which exactness is proven.
package enum TinyModels {
  package static let vocabulary = 61

  package static let configuration = ModelConfiguration(
    family: .qwen3, vocabularySize: vocabulary, hiddenSize: 32, intermediateSize: 48, layerCount: 2,
    headCount: 2, keyValueHeadCount: 1, headDimension: 16, maximumContext: 160, endTokens: [60])

  /// Heads as wide as a vector of bf16 pairs, in groups, so that two workers have heads of their own.
  package static let grouped = {
    var grouped = configuration
    (grouped.headCount, grouped.keyValueHeadCount, grouped.headDimension) = (4, 2, 32)
    return grouped
  }()

  /// The same with experts in the second layer, one of them shared.
  package static func experts(weighting: ExpertWeighting, shared: Bool) -> ModelConfiguration {
    var model = configuration
    model.family = shared ? .qwen2MoE : .qwen3MoE
    (model.headNorms, model.attentionBias) = (model.family.headNorms, shared)
    var options = ExpertOptions(count: 7, chosen: 3, intermediate: 20, weighting: weighting)
    if shared { options.shared = SharedExpertOptions(intermediate: 36, isGated: true) }
    model.experts = ExpertSettings(options, plainLayers: [true, false])
    return model
  }

  package static let target = CausalModel(random: configuration, seed: 1)

  /// A drafter; one that sees tokens has two layers, and an embedding of its own and another width
  /// where the block size is odd.
  package static func drafter(blockSize: Int, kind: DrafterKind = .conditioned) -> BlockDrafter {
    let seesTokens = kind == .tokens
    let isOwn = seesTokens && !blockSize.isMultiple(of: 2)
    var shape = configuration.layerShape
    if isOwn { shape.hidden = 48 }
    return BlockDrafter(
      random: DrafterConfiguration(
        blockSize: blockSize, maskToken: 60, targetLayers: seesTokens ? [] : [0, 1],
        targetLayerCount: seesTokens ? 0 : 2, vocabularySize: vocabulary,
        layerCount: seesTokens ? 2 : 1, shape: shape, maximumContext: 160, kind: kind,
        ownsEmbedding: isOwn),
      seed: 2)
  }

  package static func prompts(_ count: Int) -> [[Token]] {
    var random = RandomNumbers(seed: 77)
    return (0..<count).map { _ in
      (0..<Int.random(in: 1...40, using: &random)).map { _ in
        Token.random(in: 0..<Token(vocabulary), using: &random)
      }
    }
  }

  /// The same weights in each format; the formats are targets of their own.
  package static let targets = Dictionary(
    uniqueKeysWithValues: WeightFormat.allCases.map { format in
      (format, CausalModel(random: configuration, seed: 1, format: format))
    })

  private static let groupedTargets = Dictionary(
    uniqueKeysWithValues: WeightFormat.allCases.map { format in
      (format, CausalModel(random: grouped, seed: 1, format: format))
    })

  package static func runner(
    threads: Int, taps: [Int] = [], weights: WeightFormat = .f32, cache: KeyValueFormat = .f32,
    groupsHeads: Bool = false
  ) -> CausalRunner {
    CausalRunner(
      model: (groupsHeads ? groupedTargets : targets)[weights] ?? target,
      workers: Workers(count: threads), maximumRows: 32,
      taps: taps, cacheFormat: cache)
  }

  /// Plain output ids.
  package static func plain(
    _ prompt: [Token], _ parameters: GenerationParameters, runner: CausalRunner
  ) throws -> (ids: [Token], reason: FinishReason?) {
    let context = min(
      configuration.maximumContext, runner.model.configuration.maximumContext)
    let decoder = try Decoder(
      runner: runner, cache: runner.makeCache(capacity: context),
      prompt: prompt, parameters: parameters)
    return (Array(decoder), decoder.finishReason)
  }
}
