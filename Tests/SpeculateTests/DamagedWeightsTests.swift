import Drafter
import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Weights that are NaN or overflow: an error that names the position, whatever decodes, and never a trap.
@Suite struct DamagedWeightsTests {
  static let c = TinyModels.configuration
  static let context = c.maximumContext

  static let samplings = [
    SamplingParameters.greedy, SamplingParameters(repetitionPenalty: 1.3),
    SamplingParameters(temperature: 1, seed: 3),
    SamplingParameters(temperature: 1, topP: 0.9, seed: 3),
    SamplingParameters(temperature: 0.8, topK: 20, topP: 0.9, minP: 0.01, seed: 4),
  ]

  /// The target, damaged in a tensor.
  static func target(_ source: DamagedSource) throws -> CausalModel {
    try CausalModel(
      c, formats: WeightFormats(layers: .f32), source: source,
      embeddingName: c.family.tensors.embedding, headName: c.family.tensors.head)
  }

  static func message(_ model: String, _ position: Int) -> String {
    "the \(model)'s logits for position \(position) hold NaN or infinity: its weights are damaged or too"
      + " large; copy the \(model) again, or use another"
  }

  static func strategies(
    _ runner: CausalRunner, drafter: BlockDrafter
  ) throws -> [any RoundStrategy] {
    let source = try BlockDraftSource(
      drafter: drafter, target: runner.model, workers: runner.workers, capacity: context)
    let causal = try CausalDraftSource(
      drafter: TinyModels.target, workers: runner.workers, capacity: context)
    let iterated = try CausalDraftSource(
      drafter: TinyModels.target, workers: runner.workers, capacity: context, passes: 2)
    return [
      PlainStrategy(), DraftStrategy(source: source, length: .fixed(7)),
      DraftStrategy(source: causal, length: .fixed(5), choice: .argmax),
      DraftStrategy(source: iterated, length: .fixed(5)),
      DraftStrategy(
        source: nil, length: .fixed(5), free: FreeDraftOptions(suffix: true, recycling: true)),
      try JacobiStrategy(
        options: JacobiOptions(),
        policy: JacobiPolicy(PassTimes([(1, 1), (32, 1.1)]), maximumRows: 32)),
    ]
  }

  static func decode(
    _ runner: CausalRunner, _ prompt: [Token], _ sampling: SamplingParameters,
    _ strategy: any RoundStrategy
  ) throws -> (ids: [Token], failure: String?) {
    let decoder = try Decoder(
      runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt,
      parameters: GenerationParameters(sampling: sampling, maximumTokens: 60, ignoresEnd: true),
      strategy: strategy)
    return (Array(decoder), decoder.failure?.description)
  }

  /// One value of a norm reaches every logit, one of the head a single one.
  @Test(arguments: samplings) func aTargetThatIsDamagedFailsAtOnce(_ sampling: SamplingParameters)
    throws
  {
    for (name, place) in [("model.norm.weight", 3), ("lm_head.weight", 40)] {
      for value: Float in [.nan, .infinity] {
        let model = try Self.target(
          DamagedSource(seed: 1, name, place..<place + 1, value: value))
        let runner = CausalRunner(
          model: model, workers: Workers(count: 1), maximumRows: 32, taps: [0, 1])
        let drafter = TinyModels.drafter(blockSize: 8)
        for strategy in try Self.strategies(runner, drafter: drafter) {
          let (ids, failure) = try Self.decode(runner, [5, 6, 7], sampling, strategy)
          #expect(ids.isEmpty && failure == Self.message("target", 3))
        }
      }
    }
  }

  /// A token whose embedding is damaged breaks what stands behind it, and nothing before.
  @Test(arguments: samplings) func whatWasSoundComesOut(_ sampling: SamplingParameters) throws {
    let prompt: [Token] = [5, 6, 7]
    let sound = TinyModels.runner(threads: 1)
    let (ids, none) = try Self.decode(sound, prompt, sampling, PlainStrategy())
    #expect(none == nil)
    let index = try #require(
      ids.indices.dropFirst(3).first { !(prompt + ids[..<$0]).contains(ids[$0]) })
    let width = Self.c.hiddenSize
    let model = try Self.target(
      DamagedSource(
        seed: 1, "model.embed_tokens.weight", Int(ids[index]) * width..<Int(ids[index]) * width + 1)
    )
    let runner = CausalRunner(
      model: model, workers: Workers(count: 1), maximumRows: 32, taps: [0, 1])
    let drafter = TinyModels.drafter(blockSize: 8)
    for strategy in try Self.strategies(runner, drafter: drafter) {
      let (found, failure) = try Self.decode(runner, prompt, sampling, strategy)
      #expect(found == Array(ids[...index]))
      #expect(failure == Self.message("target", prompt.count + index + 1))
    }
    // Of sequences that are decoded together, the sound ones go on.
    let loop = DecodingLoop(runner: runner)
    let runs = try [prompt, [ids[index]], prompt].map { prompt in
      try SequenceRun(
        runner: runner, cache: runner.makeCache(capacity: Self.context), prompt: prompt,
        parameters: GenerationParameters(
          sampling: sampling, maximumTokens: index, ignoresEnd: true),
        strategy: PlainStrategy(), isCancelled: { false })
    }
    for run in runs { loop.add(run) }
    #expect(throws: SpeculateError(Self.message("target", 1))) { try loop.round() }
    while !loop.runs.isEmpty { try loop.round() }
    for run in [runs[0], runs[2]] {
      #expect(Array(run.sequence.tokens.dropFirst(prompt.count)) == Array(ids[..<index]))
    }
  }

  @Test(arguments: samplings) func aDamagedDrafterIsNamed(_ sampling: SamplingParameters) throws {
    let runner = TinyModels.runner(threads: 1, taps: [0, 1])
    let sound = TinyModels.drafter(blockSize: 8)
    let drafter = try BlockDrafter(
      sound.configuration, format: .f32, draftVocabulary: nil,
      source: DamagedSource(seed: 2, "norm.weight", 0..<1))
    let model = try Self.target(DamagedSource(seed: 1, "model.norm.weight", 0..<1))
    let sources: [any DraftSource] = [
      try BlockDraftSource(
        drafter: drafter, target: runner.model, workers: runner.workers, capacity: Self.context),
      try CausalDraftSource(drafter: model, workers: runner.workers, capacity: Self.context),
      try CausalDraftSource(
        drafter: model, workers: runner.workers, capacity: Self.context, passes: 2),
    ]
    for source in sources {
      let (ids, failure) = try Self.decode(
        runner, [5, 6, 7], sampling, DraftStrategy(source: source, length: .fixed(5)))
      // The target's own choice of the round comes out.
      let (plain, _) = try Self.decode(runner, [5, 6, 7], sampling, PlainStrategy())
      #expect(ids == Array(plain.prefix(1)) && failure == Self.message("drafter", 3))
      let replay = DraftReplay(runner: runner, source: source)
      try replay.load(.init(prompt: [5, 6, 7], output: [8, 9]))
      var length = DraftLength.fixed(5)
      #expect(throws: SpeculateError(Self.message("drafter", 3))) {
        try replay.rounds(
          parameters: GenerationParameters(sampling: sampling), length: &length, choice: .coupled,
          cost: CostModel(verify: PassTimes([(1, 1)]), draft: PassTimes([(1, 1)])))
      }
    }
  }

  @Test func theLibrarySaysSo() async throws {
    let generator = try TextGenerator(
      model: Self.target(DamagedSource(seed: 1, "model.norm.weight", 0..<1)),
      tokenizer: LetterTokenizer(), threads: 1)
    let expected = SpeculateError(Self.message("target", 3))
    #expect(throws: expected) { try generator.generate(tokens: [5, 6, 7]) }
    await #expect(throws: expected) {
      for try await _ in generator.stream(tokens: [5, 6, 7]) {}
    }
  }
}
