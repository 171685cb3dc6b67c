import Drafter
import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Sequences that are decoded together get what each gets alone, ids and logits to the bit.
@Suite(.serialized) struct DecodingLoopTests {
  struct Setting: CustomTestStringConvertible {
    var threads: Int
    var weights: WeightFormat
    var cache: KeyValueFormat
    var groupsHeads = false

    var testDescription: String {
      "\(threads) threads, \(weights), cache \(cache)" + (groupsHeads ? ", grouped heads" : "")
    }

    func runner(taps: [Int] = []) -> CausalRunner {
      TinyModels.runner(
        threads: threads, taps: taps, weights: weights, cache: cache, groupsHeads: groupsHeads)
    }
  }

  static let settings =
    WeightFormat.allCases.flatMap { weights in
      [
        Setting(threads: 1, weights: weights, cache: .f32),
        Setting(threads: 2, weights: weights, cache: .bf16),
      ]
    } + [
      Setting(threads: 2, weights: .f32, cache: .f32, groupsHeads: true),
      Setting(threads: 2, weights: .bf16, cache: .bf16, groupsHeads: true),
    ]

  static let context = TinyModels.configuration.maximumContext

  /// One sequence of a mix: what it is, and what it gets alone.
  private struct Case {
    var prompt: [Token]
    var parameters: GenerationParameters
    /// The round in which it joins, and tokens after which it leaves.
    var joins: Int
    var leaves: Int?
    var ids: [Token]
    var rows: [UInt64]
    var reason: FinishReason?
  }

  /// Another strategy, and a fingerprint of every row of logits that a token was chosen from.
  private final class Watched: RoundStrategy {
    let strategy: any RoundStrategy
    private(set) var rows: [UInt64] = []

    init(_ strategy: any RoundStrategy) { self.strategy = strategy }

    func begin(_ sequence: SequenceState, room: SequenceRoom) {
      strategy.begin(sequence, room: room)
    }

    func reserve(_ positions: Int) throws(SpeculateError) { try strategy.reserve(positions) }

    func commit(features: UnsafePointer<Float>, rows: Int) {
      strategy.commit(features: features, rows: rows)
    }

    func offer(_ sequence: SequenceState, sharing: Int) -> DraftOffer? {
      strategy.offer(sequence, sharing: sharing)
    }

    func request(_ sequence: SequenceState, drafts count: Int) -> DraftWish? {
      strategy.request(sequence, drafts: count)
    }

    func propose(_ sequence: SequenceState) -> RowProposal { strategy.propose(sequence) }
    func rows(_ count: Int) -> TokenTree { strategy.rows(count) }

    func settle(
      _ outcome: RoundOutcome, _ sequence: inout SequenceState, accept: (DraftOrigin) -> Void
    ) {
      for row in outcome.path {
        let logits = UnsafeRawBufferPointer(
          start: outcome.logits[row],
          count: outcome.logits.vocabulary * MemoryLayout<Float>.stride)
        rows.append(logits.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
      }
      strategy.settle(outcome, &sequence, accept: accept)
    }

    func learn(_ price: RoundPrice) { strategy.learn(price) }
    var origin: DraftOrigin? { strategy.origin }
    var traced: [TracedDraft] { strategy.traced }
    func keepCandidates(in recorder: CandidateRecorder?) { strategy.keepCandidates(in: recorder) }
  }

  private func cases(_ count: Int, _ setting: Setting, seed: UInt64) throws -> [Case] {
    var random = RandomNumbers(seed: seed)
    let runner = setting.runner()
    return try TinyModels.prompts(count + 20).suffix(count).map { prompt in
      let parameters = GenerationParameters(
        sampling: SamplingParameters(
          temperature: [0, 0.7, 1].randomElement(using: &random) ?? 0,
          topP: [1, 0.9].randomElement(using: &random) ?? 1,
          repetitionPenalty: [1, 1.3].randomElement(using: &random) ?? 1,
          seed: random.next()),
        maximumTokens: Int.random(in: 1...60, using: &random),
        ignoresEnd: Bool.random(using: &random))
      let watched = Watched(PlainStrategy())
      let decoder = try Decoder(
        runner: runner, cache: runner.makeCache(capacity: Self.context), prompt: prompt,
        parameters: parameters, strategy: watched)
      let ids = Array(decoder)
      #expect(watched.rows.count == ids.count)
      return Case(
        prompt: prompt, parameters: parameters, joins: Int.random(in: 0...12, using: &random),
        leaves: Int.random(in: 0..<4, using: &random) == 0
          ? Int.random(in: 1...ids.count, using: &random) : nil,
        ids: ids, rows: watched.rows, reason: decoder.finishReason)
    }
  }

  private static let length = DraftLength.adaptive(AdaptiveDraftLength(CostModelTests.model))

  /// Every kind of strategy in turn; sources of one drafter share its passes.
  private func strategies(
    _ cases: [Case], runner: CausalRunner, seed: UInt64
  ) throws -> [Watched] {
    let models: [DrafterModel] = [
      .block(TinyModels.drafter(blockSize: 8)),
      .block(TinyModels.drafter(blockSize: 5, kind: .tokens)),
      .causal(CausalModel(random: TinyModels.configuration, seed: 9)),
      .causal(CausalModel(random: TinyModels.configuration, seed: 9), passes: 2),
    ]
    let sources = try models.map {
      try $0.makeSources(
        max(1, cases.count / 3), target: runner.model, workers: runner.workers,
        capacity: Self.context)
    }
    var used = [Int](repeating: 0, count: models.count)
    func source(_ model: Int) -> any DraftSource {
      defer { used[model] += 1 }
      return sources[model][used[model]]
    }
    return try cases.enumerated().map { index, one in
      let choice = DraftChoice.automatic(one.parameters.sampling)
      let length = index % 2 == 0 ? Self.length : .fixed(1 + index % 7)
      let kind = (index + Int(seed)) % 9
      let strategy: any RoundStrategy =
        switch kind {
        case 0: PlainStrategy()
        case 1:
          DraftStrategy(
            source: nil, length: length, free: FreeDraftOptions(suffix: true, recycling: true))
        case 2:
          try JacobiStrategy(
            options: JacobiOptions(block: 6, rows: index % 2 == 0 ? nil : 9),
            policy: JacobiPolicy(CostModelTests.model.verify, maximumRows: runner.maximumRows))
        case 3:
          // It knows what comes, so that drafts of every length are accepted.
          DraftStrategy(
            source: OracleSource(
              future: one.prompt + one.ids, quality: .chance(0.8), maximumDrafts: 9,
              vocabulary: TinyModels.vocabulary, seed: seed),
            length: length)
        case 8: DraftStrategy(source: source(0), length: length, choice: choice)
        default:
          DraftStrategy(
            source: source(kind - 4), length: length, choice: choice,
            free: FreeDraftOptions(suffix: true, recycling: index % 3 == 0))
        }
      return Watched(strategy)
    }
  }

  /// Decodes a mix together and compares every sequence with its own plain decoding.
  ///
  /// - Returns: the statistics of all.
  private func compare(
    _ count: Int, _ setting: Setting, seed: UInt64
  ) throws -> GenerationStatistics {
    let cases = try cases(count, setting, seed: seed)
    let runner = setting.runner(taps: [0, 1])
    let strategies = try strategies(cases, runner: runner, seed: seed)
    let runs = try zip(cases, strategies).map { one, strategy in
      try SequenceRun(
        runner: runner, cache: runner.makeCache(capacity: Self.context), prompt: one.prompt,
        parameters: one.parameters, strategy: strategy, isCancelled: { false })
    }
    let loop = DecodingLoop(runner: runner)
    var ids = [[Token]](repeating: [], count: count)
    var round = 0
    while round <= 12 || !loop.runs.isEmpty {
      for index in runs.indices where cases[index].joins == round { loop.add(runs[index]) }
      try loop.round()
      round += 1
      for (index, run) in runs.enumerated() {
        while let token = run.take() { ids[index].append(token) }
        if let leaves = cases[index].leaves, ids[index].count >= leaves { run.finish(.cancelled) }
      }
    }
    var sum = GenerationStatistics()
    for (index, one) in cases.enumerated() {
      let left = one.leaves != nil && ids[index].count < one.ids.count
      #expect(ids[index] == Array(one.ids.prefix(ids[index].count)), "sequence \(index)")
      #expect(strategies[index].rows == Array(one.rows.prefix(ids[index].count)))
      #expect(left || ids[index].count == one.ids.count)
      #expect(left ? runs[index].finishReason == .cancelled : runs[index].finishReason != nil)
      if one.leaves == nil { #expect(runs[index].finishReason == one.reason) }
      #expect(runs[index].statistics.emittedTokens == ids[index].count)
      sum += runs[index].statistics
    }
    return sum
  }

  @Test(arguments: settings) func sequencesTogetherEqualEachAlone(_ setting: Setting) throws {
    var sum = GenerationStatistics()
    for count in 1...16 { sum += try compare(count, setting, seed: UInt64(count)) }
    // Drafts must have been accepted and thrown away, or little was proven.
    #expect(sum.acceptedTokens > 300 && sum.acceptedTokens < sum.verifiedTokens)
    #expect(sum.suffixTokens > 0 && sum.draftPasses > 100)
  }

  /// More blocks than a pass of the drafter has room for, and contexts longer than what waits.
  @Test func blocksOfSeveralSequencesEqualEachAlone() throws {
    for kind in DrafterKind.allCases {
      let drafter = TinyModels.drafter(blockSize: 8, kind: kind)
      let target = TinyModels.target
      let width = drafter.configuration.targetLayers.count * target.configuration.hiddenSize
      var random = RandomNumbers(seed: 5)
      let texts = (0..<7).map { index in
        (0..<1 + 23 * index).map { _ in Token.random(in: 0..<60, using: &random) }
      }
      let features = FloatBuffer(count: 160 * max(1, width))
      for index in 0..<features.count { features.base[index] = .random(in: -1...1, using: &random) }
      func drafts(_ runner: DrafterRunner, _ texts: [[Token]]) throws -> [[Token]] {
        let blocks = try texts.enumerated().map { index, text in
          let context = try runner.makeContext(capacity: 150)
          if kind == .conditioned {
            runner.append(features.base, rows: text.count - 1, to: context)
          } else {
            runner.append(text[..<(text.count - 1)], to: context)
          }
          return DrafterBlock(
            context: context, anchor: text[text.count - 1], count: 1 + text.count % 7)
        }
        for _ in 0..<2 {
          runner.draft(blocks) { _, _, logits in
            Kernels.argmax(logits, count: drafter.configuration.choices)
          }
        }
        return blocks.map(\.context.drafts)
      }
      func runner(_ blocks: Int) -> DrafterRunner {
        DrafterRunner(
          drafter: drafter, embedding: target.embedding, head: target.head,
          workers: Workers(count: 2), maximumBlocks: blocks)
      }
      let alone = try texts.flatMap { try drafts(runner(1), [$0]) }
      #expect(Set(alone).count > 3)
      for blocks in [1, 2, 3, 7] {
        #expect(try drafts(runner(blocks), texts) == alone, "\(blocks)")
      }
    }
  }
}
