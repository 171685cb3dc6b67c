import Drafter
import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Training
import Verifier

/// The acceptance that training reports is the one that serving has.
@Suite struct AcceptanceTests {
  @Test(arguments: [2, 3, 8], DrafterKind.allCases)
  func `a replay has the rounds of draft and verify`(blockSize: Int, kind: DrafterKind) throws {
    let isConditioned = kind == .conditioned
    // With a handful of tokens a random drafter is right now and then.
    let configuration = ModelConfiguration(
      family: .qwen3, vocabularySize: 6, hiddenSize: 32, intermediateSize: 48, layerCount: 2,
      headCount: 2, keyValueHeadCount: 1, headDimension: 16, maximumContext: 96, endTokens: [5])
    let target = CausalModel(random: configuration, seed: 7)
    let drafter = BlockDrafter(
      random: DrafterConfiguration(
        blockSize: blockSize, maskToken: 5, targetLayers: isConditioned ? [0, 1] : [],
        targetLayerCount: isConditioned ? 2 : 0, vocabularySize: 6, layerCount: 1,
        shape: configuration.layerShape, maximumContext: 96, kind: kind),
      seed: 8)
    let workers = Workers(count: 1)
    let plain = CausalRunner(model: target, workers: workers, maximumRows: 32)
    var random = KeyedRandom(seed: 5, key: "prompts")
    let responses = try (0..<40).map { number in
      let prompt = (0..<1 + number % 12).map { _ in Token(random.next() % 5) }
      let decoder = try Decoder(
        runner: plain, cache: plain.makeCache(capacity: 96), prompt: prompt,
        parameters: GenerationParameters(maximumTokens: 1 + number % 31))
      return Response(tokens: prompt + Array(decoder), promptLength: prompt.count)
    }
    let served = try ServedAcceptance.statistics(
      target: target, drafter: drafter, responses: responses)
    let replay = AcceptanceReplay(
      HeldoutAnswer.all(responses, length: nil, endTokens: [5]),
      features: isConditioned
        ? try TargetFeatures(
          model: target, workers: workers, layers: [0, 1], maximumLength: 64) : nil)
    let simulated = try #require(
      try replay.run(
        DrafterRunner(
          drafter: drafter, embedding: target.embedding, head: target.head, workers: workers),
        capacity: 64, shouldStop: { false }))
    ServedAcceptance.expect(simulated, equals: served)
    // Otherwise the comparison proves little.
    #expect(simulated.histogram.filter { $0 > 0 }.count >= 2, "\(simulated.histogram)")
    #expect(simulated.drafted[0] > 0)
  }

  @Test func `survival counts rounds that drafted as many`() {
    var acceptance = HeldoutAcceptance(drafts: 3)
    #expect(acceptance.survival == [0, 0, 0] && acceptance.acceptanceLength == 0)
    #expect(acceptance.looplessAcceptanceLength == nil && acceptance.loopShare == 0)
    acceptance.rounds = 6
    acceptance.emitted = 15
    acceptance.drafted = [1, 1, 0, 4]
    acceptance.histogram = [1, 2, 1, 1]
    #expect(acceptance.survival == [0.8, 0.5, 0.25])
    #expect(acceptance.acceptanceLength == 2.5)
  }

  /// What training stores of an answer that fell into a loop is too short to be recognised by itself.
  @Test func `answers that were cut at a loop are known`() {
    let prompt: [Token] = [1, 2]
    func answer(_ tokens: [Token]) -> Response {
      Response(tokens: prompt + tokens, promptLength: 2)
    }
    let responses = [
      answer([7, 8, 9, 8, 9]), answer([7, 8, 5]), answer([6, 7, 8, 9, 7, 8, 9, 7]), answer([]),
      answer((0..<50).map { $0 < 10 ? $0 : Token(20 + $0 % 20) }), answer([5]),
    ]
    let known = HeldoutAnswer.all(responses, length: 8, endTokens: [5, 4])
    #expect(known.map(\.endsInLoop) == [true, false, false, true, false])
    #expect(known.map(\.response.tokens.count) == [7, 5, 10, 52, 3])
    let unknown = HeldoutAnswer.all(responses, length: nil, endTokens: [5, 4])
    #expect(unknown.map(\.endsInLoop) == [false, false, false, true, false])
  }
}
