import CAllocations
import Drafter
import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// What decoding takes from the heap once it runs, counted on every thread of the team.
@Suite struct AllocationTests {
  /// How often `body` allocates, on this thread and on the team's.
  private func allocations(_ workers: Workers, _ body: () -> Void) -> Int {
    let counter = ca_counter_create()
    defer { ca_counter_destroy(counter) }
    nonisolated(unsafe) let watched = counter
    workers.run { _ in ca_watch(watched) }
    body()
    workers.run { _ in ca_watch(nil) }
    return ca_counter_value(counter)
  }

  @Test func allocationsAreCounted() {
    for threads in [1, 2] {
      let workers = Workers(count: threads)
      var arrays: [[Int]] = []
      #expect(allocations(workers) { for _ in 0..<10 { arrays.append([arrays.count]) } } >= 10)
      nonisolated(unsafe) let box = UnsafeMutablePointer<[Int]>.allocate(capacity: threads)
      box.initialize(repeating: [], count: threads)
      #expect(
        allocations(workers) { workers.run { box[$0] = [Int](repeating: $0, count: 9) } }
          == threads)
      #expect(allocations(workers) {} == 0)
      box.deinitialize(count: threads)
      box.deallocate()
    }
  }

  static let samplings = [
    SamplingParameters(), SamplingParameters(temperature: 1, seed: 3),
    SamplingParameters(temperature: 0.8, topK: 20, topP: 0.9, minP: 0.01, seed: 4),
    SamplingParameters(repetitionPenalty: 1.2),
  ]

  @Test(arguments: samplings, WeightFormat.allCases)
  func plainDecodingAllocatesNothing(sampling: SamplingParameters, weights: WeightFormat) throws {
    for (threads, cache) in [(1, KeyValueFormat.f32), (2, .bf16)] {
      let runner = TinyModels.runner(threads: threads, weights: weights, cache: cache)
      let decoder = try Decoder(
        runner: runner, cache: runner.makeCache(capacity: 160), prompt: [1, 2, 3],
        parameters: GenerationParameters(
          sampling: sampling, maximumTokens: 150, ignoresEnd: true), isCancelled: { false })
      // Buffers of filters have grown to their size by then.
      for _ in 0..<50 { _ = decoder.next() }
      let count = allocations(runner.workers) { for _ in 0..<90 { _ = decoder.next() } }
      #expect(count == 0, "\(threads) threads")
      #expect(decoder.statistics.emittedTokens == 140)
    }
  }

  /// Rows go through other experts in every pass.
  @Test(arguments: [1, 2], [WeightFormat.f32, .bf16, .int4])
  func expertsAllocateNothing(threads: Int, weights: WeightFormat) throws {
    let model = CausalModel(
      random: TinyModels.experts(weighting: .ofAll, shared: true), seed: 1, format: weights)
    let runner = CausalRunner(model: model, workers: Workers(count: threads), maximumRows: 32)
    let cache = try runner.makeCache(capacity: 160)
    let tokens = (0..<128).map { Token($0 * 7 % TinyModels.vocabulary) }
    func pass(_ rows: Int) {
      tokens[cache.count..<cache.count + rows].withUnsafeBufferPointer {
        runner.forward($0, cache: cache, logits: .all)
      }
    }
    for rows in [1, 16] { pass(rows) }
    #expect(allocations(runner.workers) { for rows in [1, 2, 7, 16, 1, 32] { pass(rows) } } == 0)
  }

  /// With a drafter and with drafts from earlier text, in chains and in trees.
  @Test(arguments: samplings, [nil, 5])
  func draftingAndVerifyingAllocatesNothing(sampling: SamplingParameters, length: Int?) throws {
    for (threads, kind) in [
      (1, DrafterKind.conditioned), (2, .conditioned), (1, .tokens), (2, .tokens),
    ] {
      let drafter = TinyModels.drafter(blockSize: 8, kind: kind)
      let runner = TinyModels.runner(
        threads: threads, taps: drafter.configuration.targetLayers)
      let source = try BlockDraftSource(
        drafter: drafter, target: TinyModels.target, workers: runner.workers, capacity: 160)
      let cost = CostModel(
        verify: PassTimes([(1, 1), (32, 1.1)]), draft: PassTimes([(1, 0.01), (7, 0.01)]))
      // A text that repeats itself: matches are found, and found wrong.
      let prompt: [Token] =
        Array([[5, 1, 2, 3, 4, 6, 7], [8, 1, 2, 3, 4, 9]].joined()) + [
          1, 2, 3, 4, 6, 7, 8, 1, 2, 3,
        ]
      let decoder = try Decoder(
        runner: runner, cache: runner.makeCache(capacity: 160), prompt: prompt,
        parameters: GenerationParameters(
          sampling: sampling, maximumTokens: 110, ignoresEnd: true),
        strategy: DraftStrategy(
          source: source,
          length: length.map(DraftLength.fixed) ?? .adaptive(AdaptiveDraftLength(cost)),
          branches: 3, free: FreeDraftOptions(suffix: true)), isCancelled: { false })
      for _ in 0..<60 { _ = decoder.next() }
      let rounds = decoder.statistics.rounds
      let count = allocations(runner.workers) { for _ in 0..<40 { _ = decoder.next() } }
      #expect(
        count == 0, "\(threads) threads, \(kind), \(decoder.statistics.rounds - rounds) rounds")
      #expect(decoder.statistics.rounds > rounds && decoder.statistics.draftPasses > 0)
    }
  }
}
