import Files
import Speculate
import Synchronization
import TestSupport
import Testing
import Text

/// Readers, queues and endings of a ``BatchGenerator``.
@Suite(.serialized) struct BatchMannersTests {
  private func generator(_ settings: BatchSettings) throws -> BatchGenerator {
    try BatchCase.Setting(threads: 1, drafter: nil, settings: settings).generator()
  }

  private func request(_ count: Int, seed: UInt64 = 1) -> BatchRequest {
    BatchRequest(
      prompt: [1, 2, 3],
      parameters: GenerationParameters(
        sampling: SamplingParameters(temperature: 1, seed: seed), maximumTokens: count,
        ignoresEnd: true))
  }

  /// Waits for what another thread will do; a test that waits in vain fails.
  private func eventually(_ condition: () -> Bool) async throws {
    for _ in 0..<20_000 where !condition() { try await Task.sleep(for: .milliseconds(1)) }
    #expect(condition())
  }

  @Test func aSlowReaderPausesItsSequenceOnly() async throws {
    let generator = try generator(BatchSettings(maximumSequences: 4, rows: 8, streamLimit: 3))
    let slow = try generator.submit(request(100))
    try await eventually { generator.metrics.paused == 1 }
    let tokensBefore = generator.metrics.generationTokens
    let other = try await BatchGeneratorTests.events(request(90, seed: 2), generator)
    #expect(other.tokens.count == 90)
    try await eventually { generator.metrics.running == 1 }
    let metrics = generator.metrics
    #expect(metrics.generationTokens == tokensBefore + 90 && metrics.paused == 1)
    var tokens: [Token] = []
    for try await event in slow {
      if case .token(let token) = event { tokens.append(token.id) }
    }
    let alone = try await BatchGeneratorTests.events(request(100), generator)
    #expect(tokens.count == 100 && tokens == alone.tokens.map(\.id))
  }

  /// Readers that read nothing can't keep all places: those that wait get them, and the readers theirs back.
  @Test(arguments: [false, true]) func slowReadersGiveTheirPlacesAway(_ drafts: Bool) async throws {
    let setting = BatchCase.Setting(
      threads: 1, drafter: drafts ? .block(TinyModels.drafter(blockSize: 8)) : nil,
      settings: BatchSettings(maximumSequences: 4, rows: 20, streamLimit: 4))
    let (generator, alone) = try (setting.generator(), setting.textGenerator())
    func expected(_ request: BatchRequest) throws -> [Token] {
      try alone.generate(
        tokens: request.prompt, parameters: request.parameters, mode: .plain
      ).tokens
    }
    let slow = try (0..<7).map { try generator.submit(request(100, seed: $0)) }
    // All of them were served until nothing more waits for their readers.
    try await eventually { generator.metrics.paused == 7 }
    #expect(generator.metrics.running == 4 && generator.metrics.waiting == 0)
    for seed in UInt64(20)..<23 {
      let own = request(90, seed: seed)
      let events = try await BatchGeneratorTests.events(own, generator)
      #expect(try events.tokens.map(\.id) == expected(own))
    }
    try await eventually { generator.metrics.paused == 7 }
    // Whoever leaves while it has no place is forgotten, and whoever reads at last gets everything.
    for (seed, stream) in slow.enumerated() {
      if seed == 2 {
        stream.cancel()
        continue
      }
      var tokens: [Token] = []
      for try await event in stream {
        if case .token(let token) = event { tokens.append(token.id) }
      }
      #expect(try tokens == expected(request(100, seed: UInt64(seed))))
    }
    try await eventually { generator.metrics.running == 0 && generator.metrics.paused == 0 }
    let metrics = generator.metrics
    #expect(metrics.waiting == 0 && metrics.preemptions >= 3)
    #expect(metrics.finished[.cancelled] == 1 && metrics.finished[.length] == 9)
    #expect(metrics.keyValueBytes == metrics.prefixCacheBytes)
  }

  @Test func whoeverLeavesFreesItsPlace() async throws {
    let generator = try generator(
      BatchSettings(maximumSequences: 1, queueLimit: 1, streamLimit: 1))
    var stream: BatchStream? = try generator.submit(request(100))
    try await eventually { generator.metrics.running == 1 }
    let waiting = try generator.submit(request(5, seed: 3))
    #expect(throws: SubmissionError.queueFull(limit: 1)) { try generator.submit(request(1)) }
    stream = nil
    #expect(stream == nil)
    var count = 0
    for try await event in waiting {
      if case .token = event { count += 1 }
    }
    #expect(count == 5)
    #expect(generator.metrics.finished[.cancelled] == 1)

    // One that waits can leave too, and a task that is cancelled lets go.
    let holder = try generator.submit(request(100))
    try await eventually { generator.metrics.running == 1 }
    let left = try generator.submit(request(5))
    let task = Task {
      for try await _ in left {}
      return Task.isCancelled
    }
    task.cancel()
    #expect(try await task.value)
    try await eventually { generator.metrics.finished[.cancelled] == 2 }
    holder.cancel()
    try await eventually { generator.metrics.finished[.cancelled] == 3 }
    // Nothing is held but what is kept of texts.
    let metrics = generator.metrics
    #expect(metrics.running == 0 && metrics.keyValueBytes == metrics.prefixCacheBytes)
  }

  private final class Latch: Sendable {
    let isOpen = Atomic(false)
  }

  @Test func aLargeRequestIsNotPassedForEver() async throws {
    // There is room for one large request or for several small ones.
    let generator = try generator(
      BatchSettings(
        maximumSequences: 8, keyValueMemory: 256 * 176, rows: 16, cachesPrefixes: false,
        outputReserve: 130))
    let large = try generator.submit(request(130))
    let latch = Latch()
    try await withThrowingTaskGroup(of: Void.self) { group in
      // Small ones keep coming until it was served.
      for seed in 0..<4 {
        group.addTask {
          while !latch.isOpen.load(ordering: .relaxed) {
            _ = try await BatchGeneratorTests.events(request(20, seed: UInt64(seed)), generator)
          }
        }
      }
      group.addTask {
        var count = 0
        for try await event in large {
          if case .token = event { count += 1 }
        }
        latch.isOpen.store(true, ordering: .relaxed)
        #expect(count == 130)
      }
      try await group.waitForAll()
    }
  }

  @Test func shutdownCancelsAndDrainWaits() async throws {
    let draining = try generator(BatchSettings(maximumSequences: 2))
    let streams = try (0..<4).map { try draining.submit(request(40, seed: $0)) }
    await draining.drain()
    for stream in streams {
      var last: BatchEvent?
      for try await event in stream { last = event }
      guard case .finished(let result) = last else {
        Issue.record("no end")
        continue
      }
      #expect(result.output.finishReason == .length && result.output.tokens.count == 40)
    }
    let stopping = try generator(BatchSettings(maximumSequences: 1, streamLimit: 1))
    let cut = try (0..<3).map { try stopping.submit(request(100, seed: $0)) }
    await stopping.shutdown()
    for stream in cut {
      var last: BatchEvent?
      for try await event in stream { last = event }
      guard case .finished(let result) = last else {
        Issue.record("no end")
        continue
      }
      #expect(result.output.finishReason == .cancelled)
    }
    await stopping.shutdown()
    await stopping.drain()
  }

  static let mistakes: [(BatchRequest, String)] = [
    (
      BatchRequest(prompt: []),
      "the prompt has no tokens and the model no begin token: give at least one character"
    ),
    (
      BatchRequest(prompt: [Token](repeating: 1, count: 160)),
      "the prompt has 160 tokens, but the context holds 160 with at least one to generate: shorten the "
        + "prompt"
    ),
    (
      BatchRequest(prompt: [61]),
      "the prompt holds token 61, but the model has 61 tokens: use the tokenizer made for this model"
    ),
    (
      BatchRequest(prompt: [1], prediction: [-1]),
      "the prediction holds token -1, but the model has 61 tokens: use the tokenizer made for this model"
    ),
    (BatchRequest(prompt: [1], scores: 21), "scores 21 is out of range: use 0 to 20"),
    (BatchRequest(prompt: [1], promptScores: -1), "prompt scores -1 is out of range: use 0 to 20"),
    (
      BatchRequest(prompt: [1], mode: .speculative(drafts: 0)),
      "draft length 0 is out of range: use 1 or more"
    ),
    (
      BatchRequest(
        prompt: [1],
        parameters: GenerationParameters(sampling: SamplingParameters(presencePenalty: 3))),
      "presence penalty 3.0 is out of range: use -2 to 2 (0 is none)"
    ),
    (
      BatchRequest(
        prompt: [1],
        parameters: GenerationParameters(sampling: SamplingParameters(frequencyPenalty: .nan))),
      "frequency penalty nan is out of range: use -2 to 2 (0 is none)"
    ),
    (
      BatchRequest(
        prompt: [1],
        parameters: GenerationParameters(
          sampling: SamplingParameters(logitBias: [7: 101, 5: -.infinity]))),
      "logit bias -inf of token 5 is out of range: use -100 to 100"
    ),
    (
      BatchRequest(
        prompt: [1],
        parameters: GenerationParameters(sampling: SamplingParameters(logitBias: [61: 1]))),
      "logit bias names token 61, but the model has 61 tokens: use ids from 0 to 60"
    ),
  ]

  @Test func mistakesAreNamed() throws {
    let generator = try generator(BatchSettings())
    for (request, message) in Self.mistakes {
      #expect(throws: SubmissionError.invalid(SpeculateError(message))) {
        try generator.submit(request)
      }
    }
    let settings: [(BatchSettings, String)] = [
      (
        BatchSettings(maximumSequences: 0), "maximum sequences 0 is out of range: use 1 to 1024"
      ),
      (BatchSettings(rows: 16), "rows 16 is out of range: use 17 to 4096"),
      (
        BatchSettings(keyValueMemory: 10_000),
        "key-value memory of 10000 bytes holds 32 tokens: use 24576 bytes or more"
      ),
      (BatchSettings(prefillStretch: 0), "prefill stretch 0.0 is out of range: use 1 to 1000"),
    ]
    for (settings, message) in settings {
      #expect(throws: SpeculateError(message)) { try self.generator(settings) }
    }
  }
}
