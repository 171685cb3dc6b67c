import Drafter
import Files
import Foundation
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// However blocks are denoised, the target alone decides.
@Suite struct DenoisingTests {
  static func policies() throws -> [any DenoisingPolicy] {
    try DenoisingCatalog.kinds.map { try DenoisingCatalog.policy($0.name) }
      + [
        "left-run:gate=1", "credit:across=0.3", "filter:width=1", "hierarchy:remask=1",
        "extend:cost=1", "noise:seed=1", "noise:nonsense=1", "noise:nonsense=1,seed=1",
      ]
      .map(DenoisingCatalog.policy)
  }

  private static func source(
    _ policy: any DenoisingPolicy, blockSize: Int = 6, kind: DrafterKind
  ) throws -> BlockDraftSource {
    let source = try BlockDraftSource(
      drafter: TinyModels.drafter(blockSize: blockSize, kind: kind), target: TinyModels.target,
      workers: Workers(count: 1), capacity: TinyModels.configuration.maximumContext)
    source.policy = policy
    return source
  }

  static let parameters = [0, 1].map { temperature in
    GenerationParameters(
      sampling: SamplingParameters(
        temperature: temperature, repetitionPenalty: 1.1, seed: 3),
      maximumTokens: 60, ignoresEnd: true)
  }

  @Test(arguments: DrafterKind.allCases, parameters)
  func `output is plain, whatever the policy`(
    kind: DrafterKind, parameters: GenerationParameters
  ) throws {
    let cost = CostModel(
      verify: PassTimes([(1, 1), (32, 1.1)]), draft: PassTimes([(1, 0.01), (7, 0.01)]))
    let lengths: [DraftLength] = [.fixed(5), .adaptive(AdaptiveDraftLength(cost))]
    var drafts: [String: [[Token]]] = [:]
    for prompt in TinyModels.prompts(3) {
      let plain = try TinyModels.plain(
        prompt, parameters, runner: TinyModels.runner(threads: 1))
      for (index, policy) in try Self.policies().enumerated() {
        for (number, length) in lengths.enumerated() {
          let source = try Self.source(policy, kind: kind)
          let runner = TinyModels.runner(threads: 1, taps: source.taps)
          let decoder = try Decoder(
            runner: runner, cache: runner.makeCache(capacity: 160), prompt: prompt,
            parameters: parameters,
            strategy: DraftStrategy(
              source: source, length: length, branches: 2,
              free: FreeDraftOptions(suffix: number == 1, recycling: number == 1)))
          let observer = Rounds()
          decoder.observer = observer
          #expect(Array(decoder) == plain.ids, "\(policy)")
          #expect(observer.rounds.allSatisfy { $0.inconsistency == nil })
          if number == 0 {
            drafts["\(index)", default: []] += observer.rounds.map(\.drafts)
            if policy is OnePass {
              #expect(
                decoder.statistics.draftPasses == observer.rounds.count { $0.passDrafts > 0 })
            }
          }
        }
      }
    }
    // Policies have a say in what is drafted.
    #expect(Set(drafts.values).count > drafts.count / 3)
  }

  private final class Rounds: RoundObserver {
    var rounds: [RoundRecord] = []
    func observe(_ round: RoundRecord) { rounds.append(round) }
  }

  /// Sequences with different policies share passes of one drafter.
  @Test(arguments: DrafterKind.allCases) func `policies of several sequences don't mix`(
    kind: DrafterKind
  ) throws {
    let drafter = TinyModels.drafter(blockSize: 6, kind: kind)
    let runner = TinyModels.runner(threads: 1, taps: drafter.configuration.targetLayers)
    let passes = try BlockDraftPasses(
      drafter: drafter, target: TinyModels.target, workers: runner.workers, maximumBlocks: 3)
    for parameters in Self.parameters {
      let loop = DecodingLoop(runner: runner)
      let prompts = TinyModels.prompts(6)
      var runs: [SequenceRun] = []
      for (prompt, policy) in zip(prompts, try Self.policies().suffix(6)) {
        let source = try BlockDraftSource(sharing: passes, capacity: 160)
        source.policy = policy
        runs.append(
          try SequenceRun(
            runner: runner, cache: runner.makeCache(capacity: 160), prompt: prompt,
            parameters: parameters, strategy: DraftStrategy(source: source, length: .fixed(4)),
            isCancelled: { false }))
        loop.add(runs[runs.count - 1])
      }
      while !loop.runs.isEmpty { try loop.round() }
      for (run, prompt) in zip(runs, prompts) {
        let plain = try TinyModels.plain(prompt, parameters, runner: TinyModels.runner(threads: 1))
        #expect(Array(run.sequence.tokens.dropFirst(prompt.count)) == plain.ids)
      }
    }
  }

  // MARK: Hostile drafters

  /// Proposes whatever it likes.
  private final class Hostile: DraftSource {
    let taps: [Int] = []
    let maximumDrafts = 8
    private let propose: (_ tokens: [Token], _ place: Int) -> (Token, Float)
    init(_ propose: @escaping (_ tokens: [Token], _ place: Int) -> (Token, Float)) {
      self.propose = propose
    }
    func commit(features: UnsafePointer<Float>, rows: Int) {}
    func rewind(to count: Int) {}
    func enter(_ request: DraftRequest) {
      for place in 0..<request.count {
        let (token, confidence) = propose(request.tokens, place)
        request.block.tokens.append(token)
        request.block.confidences.append(confidence)
      }
      request.block.passes = 1
    }
    func runPasses() {}
  }

  @Test(arguments: parameters) func `a hostile drafter changes nothing but speed`(
    parameters: GenerationParameters
  ) throws {
    nonisolated(unsafe) var random = SplitMix(seed: 8)
    let sources = [
      Hostile { _, _ in (13, 1) },
      Hostile { _, _ in
        (Token.random(in: 0..<61, using: &random), .random(in: 0...1, using: &random))
      },
      Hostile { _, place in (place < 3 ? 5 : -7, 0.9) },
      Hostile { _, _ in (61, 1) }, Hostile { _, place in (place == 0 ? 4 : Token.max, 1) },
      Hostile { _, _ in (Token.min, 1) },
    ]
    let cost = CostModel(verify: PassTimes([(1, 1), (32, 1.1)]), draft: PassTimes([(1, 0.01)]))
    for prompt in TinyModels.prompts(40) {
      let runner = TinyModels.runner(threads: 1)
      let plain = try TinyModels.plain(prompt, parameters, runner: runner)
      for source in sources {
        for length in [DraftLength.fixed(6), .adaptive(AdaptiveDraftLength(cost))] {
          let decoder = try Decoder(
            runner: runner, cache: runner.makeCache(capacity: 160), prompt: prompt,
            parameters: parameters, strategy: DraftStrategy(source: source, length: length))
          #expect(Array(decoder) == plain.ids)
          #expect(decoder.failure == nil)
        }
      }
    }
  }

  /// A drafter whose logits aren't numbers is refused by name; what came out before is plain output.
  @Test(arguments: ["one-pass", "fast-dllm", "credit", "hex", "smoothing"])
  func `a drafter of no numbers is refused, and nothing of it comes out`(policy: String) throws {
    let configuration = TinyModels.drafter(blockSize: 6, kind: .tokens).configuration
    let drafter = try BlockDrafter(
      configuration, format: .f32, draftVocabulary: nil,
      source: DamagedSource(seed: 2, "norm.weight", 0..<1, value: .nan))
    let runner = TinyModels.runner(threads: 1)
    let source = try BlockDraftSource(
      drafter: drafter, target: TinyModels.target, workers: runner.workers, capacity: 160)
    source.policy = try DenoisingCatalog.policy(policy)
    let decoder = try Decoder(
      runner: runner, cache: runner.makeCache(capacity: 160), prompt: [1, 2, 3],
      parameters: Self.parameters[0], strategy: DraftStrategy(source: source, length: .fixed(5)))
    let ids = Array(decoder)
    let plain = try TinyModels.plain([1, 2, 3], Self.parameters[0], runner: runner)
    #expect(ids == Array(plain.ids.prefix(ids.count)) && ids.count < 10)
    #expect(decoder.failure?.description.hasPrefix("the drafter's logits for position") == true)
  }

  /// The mask token in a prompt is a token like any other.
  @Test(arguments: DrafterKind.allCases, parameters)
  func `masks in a prompt are text`(kind: DrafterKind, parameters: GenerationParameters) throws {
    let mask: Token = 60
    for prompt in [[mask], [1, mask, mask, 2, mask], [Token](repeating: mask, count: 9)] {
      let plain = try TinyModels.plain(prompt, parameters, runner: TinyModels.runner(threads: 1))
      for policy in try Self.policies() {
        let source = try Self.source(policy, kind: kind)
        let runner = TinyModels.runner(threads: 1, taps: source.taps)
        let decoder = try Decoder(
          runner: runner, cache: runner.makeCache(capacity: 160), prompt: prompt,
          parameters: parameters, strategy: DraftStrategy(source: source, length: .fixed(5)))
        #expect(Array(decoder) == plain.ids, "\(policy)")
      }
    }
  }

  // MARK: Widths

  /// Drafts behind an end are worth nothing, so that a free length leaves them out.
  @Test func `nothing is verified behind a draft of the end`() throws {
    let cost = CostModel(
      verify: PassTimes([(1, 1), (32, 1.001)]), draft: PassTimes([(1, 0.001)]))
    let source = Hostile { _, place in (place == 2 ? 60 : 5, 1) }
    for (ignoresEnd, most) in [(false, 3), (true, 8)] {
      let runner = TinyModels.runner(threads: 1)
      let decoder = try Decoder(
        runner: runner, cache: runner.makeCache(capacity: 160), prompt: [1, 2],
        parameters: GenerationParameters(maximumTokens: 12, ignoresEnd: ignoresEnd),
        strategy: DraftStrategy(
          source: source, length: .adaptive(AdaptiveDraftLength(cost))))
      let observer = Rounds()
      decoder.observer = observer
      _ = Array(decoder)
      let widths = observer.rounds.filter { $0.passDrafts == 8 }.map(\.drafts.count)
      #expect(!widths.isEmpty && widths.max() == most)
    }
  }

  @Test func `other ways to go on become a tree`() throws {
    var block = DraftBlock()
    (block.tokens, block.confidences) = ([1, 2, 3], [1, 1, 1])
    for chain in [[1, 2, 4], [1, 5, 3], [1, 2, 3], [1, 5, 6], [7, 8, 9]] as [[Token]] {
      block.add(.init(tokens: chain, confidences: [1, 1, 1]), width: 3, limit: 32)
    }
    #expect(block.branches.map(\.token) == [4, 5, 3, 6, 7, 8, 9])
    #expect(block.branches.map(\.parent) == [1, 0, 4, 4, -1, 7, 8])
  }

  @Test func `what a drafter can't do is refused`() throws {
    let extend = try Denoising("extend")
    let message =
      "denoising extend drafts behind drafts, which a drafter that reads its target's features"
      + " can't: use another denoising, or a drafter that sees tokens alone"
    #expect(throws: SpeculateError(message)) {
      try extend.check(.block(TinyModels.drafter(blockSize: 6)))
    }
    try extend.check(.block(TinyModels.drafter(blockSize: 6, kind: .tokens)))
    #expect(
      throws: SpeculateError(
        "denoising extend is for block drafters, and there is none: leave it out, or use one")
    ) { try extend.check(nil) }
    #expect(throws: SpeculateError.self) { try Denoising("left-run:thresh=1") }
    #expect(try Denoising("one-pass") == .onePass)
  }
}
