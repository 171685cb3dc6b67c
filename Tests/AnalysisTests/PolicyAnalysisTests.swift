import Analysis
import Drafter
import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

@Suite struct PolicyAnalysisTests {
  @Test func `reading order is all from the left, the reverse is none`() {
    for length in 1...4 {
      #expect(RevealOrder(Array(0..<8)).local(length) == 1)
      #expect(RevealOrder(Array(0..<8)).global(length) == 1)
      #expect(RevealOrder((0..<8).reversed()).local(length) == 0)
      // The last `length` masks are among the leftmost, however many are left.
      #expect(RevealOrder((0..<8).reversed()).global(length) == Double(length) / 8)
    }
    #expect(RevealOrder([0]).local() == nil && RevealOrder([]).global() == nil)
    #expect(RevealOrder([0, 1, 5, 6, 2]).local() == 0.5)
    // Random orders: Σ min(k, L − i) / (L − i) / L.
    var random = SplitMix(seed: 2)
    for length in 1...3 {
      var mean = 0.0
      for _ in 0..<4000 {
        let order = RevealOrder(Array(0..<6).shuffled(using: &random))
        mean += (order.global(length) ?? 0) / 4000
      }
      var expected = 0.0
      for left in 1...6 { expected += Double(min(length, left)) / Double(left) / 6 }
      #expect(abs(mean - expected) < 0.02)
    }
  }

  private static func replay(
    _ source: any DraftSource
  ) -> DraftReplay {
    DraftReplay(
      runner: TinyModels.runner(threads: 1, taps: source.taps), source: source)
  }

  private static func source(_ kind: DrafterKind) throws -> BlockDraftSource {
    try BlockDraftSource(
      drafter: TinyModels.drafter(blockSize: 6, kind: kind), target: TinyModels.target,
      workers: Workers(count: 1), capacity: TinyModels.configuration.maximumContext)
  }

  /// A known text need not be the target's. Where a drafter sees tokens alone, these are what two of its passes
  /// draft, block after block.
  private static func texts(_ kind: DrafterKind) throws -> [DraftReplay.Text] {
    var random = RandomNumbers(seed: 6)
    let drafter = try source(kind)
    drafter.policy = try DenoisingCatalog.policy("steps")
    return (0..<3).map { _ in
      let prompt = (0..<4).map { _ in Token.random(in: 0..<60, using: &random) }
      var tokens = prompt
      while tokens.count < 34 {
        guard kind == .tokens else {
          tokens.append(.random(in: 0..<3, using: &random))
          continue
        }
        let request = DraftRequest(
          chooser: DraftChooser(
            .greedy, choice: .argmax, context: TokenPresence(vocabulary: TinyModels.vocabulary)))
        (request.tokens, request.count, request.most) = (tokens, 5, 5)
        drafter.enter(request)
        drafter.runPasses()
        tokens += request.block.tokens
      }
      drafter.rewind(to: 0)
      return DraftReplay.Text(prompt: prompt, output: Array(tokens[4...]))
    }
  }

  /// The best of all sets is at least as good as any policy of two passes, block by block.
  @Test(arguments: DrafterKind.allCases) func `no policy does better than hindsight`(
    kind: DrafterKind
  ) throws {
    let cost = CostModel(verify: PassTimes([(1, 1), (8, 1.3)]), draft: PassTimes([(1, 0.15)]))
    let oracle = DenoisingOracle(try Self.source(kind))
    let search = Self.replay(oracle)
    var length = DraftLength.fixed(5)
    let texts = try Self.texts(kind)
    for text in texts {
      oracle.begin(text.prompt + text.output)
      try search.load(text)
      let rounds = try search.rounds(
        parameters: GenerationParameters(), length: &length, choice: .argmax, cost: cost)
      let blocks = try #require(oracle.blocks.last)
      #expect(rounds.filter { $0.drafted > 0 }.map(\.accepted) == blocks.map(\.onePass))
      for block in blocks {
        #expect(block.accepted.count == 1 << block.drafts && block.accepted[0] == block.onePass)
        #expect(block.accepted[block.accepted.count - 1] == block.onePass)
        #expect(block.best >= max(block.bestRun, block.bestSure))
        #expect(min(block.bestRun, block.bestSure) >= block.onePass)
      }
    }
    // A policy's second pass is the oracle's behind the same set. Its blocks stand elsewhere once it has
    // accepted another number, so only the first of each text are compared.
    for policy in ["left-run:threshold=0.02", "steps", "hierarchy:passes=2", "local-leap:passes=2"]
    {
      for (text, blocks) in zip(texts, oracle.blocks) {
        let source = try Self.source(kind)
        source.policy = try DenoisingCatalog.policy(policy)
        var drafted: [DenoisedBlock] = []
        source.observer = { drafted.append($0) }
        let replay = Self.replay(source)
        try replay.load(text)
        let rounds = try replay.rounds(
          parameters: GenerationParameters(), length: &length, choice: .argmax, cost: cost)
        let (block, first) = (try #require(drafted.first), try #require(blocks.first))
        let set = block.drafts.indices.filter { block.fixedAfter[$0] == 1 }
          .reduce(0) { $0 | 1 << $1 }
        #expect(rounds[0].accepted == first.accepted[set], "\(policy)")
        #expect(rounds[0].accepted <= first.best && rounds[0].passes == block.passes)
        if kind == .tokens, policy == "steps" {
          #expect(rounds[0].accepted == 5 && first.best == 5)
        }
      }
    }
    let figures = OracleFigures(oracle.blocks, costs: cost)
    #expect(figures.blocks == oracle.blocks.joined().count && figures.tau >= 1)
    #expect(figures.best >= figures.paying.tau && figures.paying.speed >= 1)
    if kind == .tokens { #expect(figures.best > figures.tau && figures.share > 0) }
    #expect(figures.paying.passes >= 1 && figures.paying.passes <= 2)
  }

  @Test func `hindsight's figures are those of its blocks`() {
    func block(_ onePass: Int, _ best: Int) -> DenoisingOracle.Block {
      DenoisingOracle.Block(
        onePass: onePass, best: best, bestRun: best, bestSure: onePass, drafts: 7, accepted: [])
    }
    let figures = OracleFigures(
      [[block(1, 4), block(2, 2)], [block(0, 0), block(3, 4)]], costs: UsualCosts())
    #expect(figures.tau == 2.5 && figures.best == 3.5 && figures.bestSure == 2.5)
    #expect(figures.share == 0.5 && figures.blocks == 4 && figures.gain != nil)
    // Both gains pay: 14 tokens in 4 · 1.45 + 2 · 0.15 against 10 in 4 · 1.45.
    #expect(figures.paying.tau == 3.5 && figures.paying.passes == 1.5)
    #expect(abs(figures.paying.speed - (14 / 6.1) / (10 / 5.8)) < 1e-12)
    // Where a pass costs ten steps and a round eleven, 3 tokens pay for one and 1 doesn't.
    let dear = OracleFigures(
      [[block(1, 4), block(2, 2)], [block(0, 0), block(3, 4)]],
      costs: UsualCosts(draft: 10, verify: 1))
    #expect(dear.paying.tau == 3.25 && dear.paying.passes == 1.25)
  }

  @Test func `figures count what rounds took`() {
    let cost = CostModel(verify: PassTimes([(1, 1), (8, 1.7)]), draft: PassTimes([(1, 0.5)]))
    func round(_ accepted: Int, passes: Int) -> DraftReplay.Round {
      DraftReplay.Round(
        drafted: 7, verified: 7, accepted: accepted, emitted: accepted + 1, passes: passes,
        passRows: 8 * passes)
    }
    var one = PolicyFigures("one-pass")
    var two = PolicyFigures("steps")
    for _ in 0..<2 {
      one.add([round(1, passes: 1), round(3, passes: 1)], cost: cost)
      two.add([round(5, passes: 2)], cost: cost)
    }
    #expect(one.tau == 3 && two.tau == 6 && two.passesPerRound == 2 && two.rowsPerRound == 8)
    #expect(two.draftRowsPerRound == 16 && abs(two.rate - 6 / 2.7) < 1e-9)
    #expect(two.tau(over: one).ratio == 2 && two.tau(over: one).wins == 2)
    #expect(abs(two.rate(over: one).ratio - (6 / 2.7) / (6 / 4.4)) < 1e-9)
  }

  /// Tails of rows whose values are known, and of what a drafter's products take.
  @Test(arguments: DrafterKind.allCases) func `outliers are seen where they are`(
    kind: DrafterKind
  ) throws {
    var tails = Tails(name: "rows")
    var row = [Float](repeating: 1, count: 64)
    func add() { row.withUnsafeBufferPointer { tails.add($0) } }
    add()
    #expect(tails.ratio == 1 && tails.error8 < 1e-6 && tails.error4 < 1e-6)
    row[5] = -127
    add()
    row[5] = .nan
    add()
    row = [Float](repeating: 0, count: 64)
    add()
    #expect(tails.rows == 2 && tails.greatest == 127 && tails.worstRatio == 127)
    #expect(tails.outlierRows == 1 && tails.ratio == 64)
    // To 8 bits nothing is lost beside the outlier; to 4 its 31 neighbours are.
    let all = 64.0 + 63 + 127 * 127
    #expect(tails.error8 < 1e-6 && abs(tails.error4 - (31 / all).squareRoot()) < 1e-6)

    let target = TinyModels.target
    let drafter = TinyModels.drafter(blockSize: 6, kind: kind)
    let passes = try BlockDraftPasses(
      drafter: drafter, target: target, workers: Workers(count: 1), maximumBlocks: 1)
    let source = try BlockDraftSource(sharing: passes, capacity: 160)
    let replay = Self.replay(source)
    let text = try Self.texts(kind)[0]
    let cost = CostModel(verify: PassTimes([(1, 1)]), draft: PassTimes([(1, 0.1)]))
    var length = DraftLength.fixed(5)
    func rounds() throws -> [DraftReplay.Round] {
      try replay.load(text)
      return try replay.rounds(
        parameters: GenerationParameters(), length: &length, choice: .argmax, cost: cost)
    }
    let plain = try rounds()
    var profile = TailProfile()
    passes.productObserver = { profile.add($0) }
    // Looking changes nothing.
    #expect(try rounds() == plain)
    passes.productObserver = nil
    let names = profile.products.map(\.name)
    let layers = drafter.configuration.layerCount
    #expect(names.count { $0.hasSuffix("down_proj") } == layers)
    #expect(names.count { $0.hasSuffix("q_proj k_proj v_proj") } == layers)
    #expect(names.last == "lm_head" && names.contains("fc") == kind.readsFeatures)
    // Rows of blocks alone count, and each goes through all layers.
    let blocks = profile.products.filter { $0.name.hasPrefix("layers.") }
    let rows = plain.reduce(0) { $0 + $1.passRows }
    #expect(blocks.allSatisfy { $0.rows == rows && $0.ratio > 1 && $0.error8 < $0.error4 })
  }

  @Test func `a profile tells rows apart`() {
    var profile = RowProfile()
    var block = DenoisedBlock(capacity: 3)
    for text in [[1, 2, 9], [1, 8], [7]] as [[Token]] {
      block.begin(anchor: 5, count: 3)
      for place in 0..<3 {
        block.propose(Token(place + 1), confidence: 0.5, at: place)
        block.see(
          RowDistribution(
            top: [TokenLogit(column: place, token: Token(place + 1), logit: 0)], logSum: 0,
            entropy: Float(place)), at: place)
      }
      block.take(.done)
      profile.add(block, text: text[...], endTokens: [2, 77])
    }
    #expect(profile.ends == 2 && profile.rightEnds == 1)
    #expect(profile.blocks == [3, 3, 3] && profile.entropy == [0, 1, 2])
    #expect(profile.reached == [3, 2, 1] && profile.accepted == [2, 1, 0])
    #expect(profile.probability == [1, 1, 1])
  }
}
