import Drafter
import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Whatever parts a drafter is made of, the output is that of plain decoding.
@Suite struct DrafterPartsTests {
  struct Part: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var change: @Sendable (inout DrafterConfiguration) -> Void

    func drafter(blockSize: Int) -> BlockDrafter {
      var configuration = TinyModels.drafter(blockSize: blockSize).configuration
      configuration.layerCount = 2
      change(&configuration)
      return BlockDrafter(random: configuration, seed: 9)
    }
  }

  static let parts =
    MarkovHeadConfiguration.Kind.allCases.map { kind in
      Part(testDescription: "\(kind) Markov head") {
        $0.heads = DrafterHeads(
          MarkovHeadConfiguration(rank: 6, kind: kind), ConfidenceHeadConfiguration())
        $0.samplesAnchor = true
      }
    } + [
      Part(testDescription: "candidate selector") {
        $0.heads = DrafterHeads(CandidateSelectorConfiguration(rank: 6, candidates: 5))
      },
      Part(testDescription: "DFlash 2") {
        $0.heads = DrafterHeads(CandidateSelectorConfiguration(rank: 6))
        $0.convolution = ConvolutionShape(taps: 2, group: 8)
        $0.reaches = [LayerReach(window: 9), LayerReach()]
        $0.factors = DrafterFactors(embedding: 2, logits: 0.5, cap: 5)
      },
      Part(testDescription: "causal blocks") { $0.isCausal = true },
      Part(testDescription: "causal windows") {
        $0.reaches = [LayerReach(window: 12, isCausal: true), LayerReach()]
      },
    ]

  @Test(arguments: parts, [0, 1] as [Float])
  func `output is plain`(part: Part, temperature: Float) throws {
    let context = TinyModels.configuration.maximumContext
    for (blockSize, threads) in [(5, 1), (12, 2)] {
      let drafter = part.drafter(blockSize: blockSize)
      let runner = TinyModels.runner(threads: threads, taps: drafter.configuration.targetLayers)
      let source = try BlockDraftSource(
        drafter: drafter, target: runner.model, workers: runner.workers, capacity: context)
      for (index, prompt) in TinyModels.prompts(12).enumerated() {
        let parameters = GenerationParameters(
          sampling: SamplingParameters(temperature: temperature, seed: UInt64(index)),
          maximumTokens: 30, ignoresEnd: true)
        let plain = try TinyModels.plain(prompt, parameters, runner: runner)
        let lengths: [DraftLength] = [
          .fixed(11), .adaptive(AdaptiveDraftLength(CostModelTests.model)),
        ]
        let decoder = try Decoder(
          runner: runner, cache: runner.makeCache(capacity: context), prompt: prompt,
          parameters: parameters,
          strategy: DraftStrategy(source: source, length: lengths[index % 2], branches: 2))
        #expect(Array(decoder) == plain.ids)
        #expect(decoder.failure == nil)
        if index % 2 == 0 { #expect(decoder.statistics.verifiedTokens > 0) }
      }
    }
  }

  /// Sequences that share passes get the drafts of passes of their own: acceptance counts agree.
  @Test(arguments: parts)
  func `blocks of several sequences are each as it is alone`(part: Part) throws {
    let drafter = part.drafter(blockSize: 6)
    let context = TinyModels.configuration.maximumContext
    let prompts = TinyModels.prompts(3)
    func parameters(_ index: Int) -> GenerationParameters {
      GenerationParameters(
        sampling: SamplingParameters(temperature: 1, seed: UInt64(index)), maximumTokens: 25,
        ignoresEnd: true)
    }
    func runs(_ indices: [Int]) throws -> [[Int]] {
      let runner = TinyModels.runner(threads: 2, taps: drafter.configuration.targetLayers)
      let sources = try DrafterModel.block(drafter).makeSources(
        indices.count, target: runner.model, workers: runner.workers, capacity: context)
      let loop = DecodingLoop(runner: runner)
      let runs = try zip(indices, sources).map { index, source in
        try SequenceRun(
          runner: runner, cache: runner.makeCache(capacity: context), prompt: prompts[index],
          parameters: parameters(index), strategy: DraftStrategy(source: source, length: .fixed(5)),
          isCancelled: { false })
      }
      for run in runs { loop.add(run) }
      while !loop.runs.isEmpty { try loop.round() }
      return runs.map { [$0.statistics.rounds] + $0.statistics.acceptedByPlace }
    }
    let together = try runs([0, 1, 2])
    for index in 0..<3 { #expect(try runs([index]) == [together[index]]) }
  }
}
