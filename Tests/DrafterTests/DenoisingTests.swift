import Drafter
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// What the engine sees to, whatever a policy says.
@Suite struct DenoisingTests {
  /// The surer half of the drafts first, then the rest.
  struct HalfThenRest: DenoisingPolicy {
    func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
      guard block.passes == 1 else { return .done }
      let order = block.drafts.indices.sorted { block.certainty(of: $0) > block.certainty(of: $1) }
      return .pass(
        DenoisingPlan(
          fix: order.prefix((order.count + 1) / 2).map { PlacedToken($0, block.proposals[$0]) }))
    }
  }

  /// One draft after the other, from the last on.
  struct Backwards: DenoisingPolicy {
    func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
      guard let place = block.drafts.lastIndex(of: nil) else { return .done }
      return .pass(DenoisingPlan(fix: [PlacedToken(place, block.proposals[place])]))
    }
  }

  /// The same plan after every pass.
  struct Stubborn: DenoisingPolicy {
    var plan = DenoisingPlan()
    func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep { .pass(plan) }
  }

  private struct Choice: Equatable {
    var place: Int
    var pass: Int
    var logits: [UInt32]
    var token: Token
  }

  /// Every choice of a draft, greedy.
  private static func choices(
    _ policy: any DenoisingPolicy, count: Int, kind: DrafterKind = .tokens, threads: Int = 1,
    most: Int = 0
  ) -> (choices: [Choice], block: DenoisedBlock, context: Int) {
    let single = DrafterRunnerTests.runner(
      DrafterRunnerTests.configuration(vocabulary: 20, markov: 5, kind: kind), threads: threads)
    single.context.denoise(by: policy)
    single.context.round.most = most
    var (seen, pass): ([Choice], Int) = ([], 1)
    single.runner.draft([DrafterBlock(context: single.context, anchor: 9, count: count)]) {
      _, place, logits in
      let bits = (0..<20).map { logits[$0].bitPattern }
      let token = single.runner.token(at: Kernels.argmax(logits, count: 20))
      seen.append(Choice(place: place, pass: pass, logits: bits, token: token))
      // As choosers do.
      logits.update(repeating: .nan, count: 20)
      return DraftProposal(token: token, confidence: 0.5)
    } again: { _ in
      pass += 1
    }
    let block = single.context.block
    #expect(single.drafts == block.drafts.compactMap(\.self))
    return (seen, block, single.contextCount)
  }

  @Test(arguments: DrafterKind.allCases) func `a second pass sees what is fixed`(
    kind: DrafterKind
  ) {
    let single = Self.choices(OnePass(), count: 5, kind: kind)
    #expect(single.block.passes == 1 && single.choices.map(\.place) == [0, 1, 2, 3, 4])
    #expect(single.block.distributions.isEmpty && single.block.meter.headRows == 5)
    #expect(single.choices.map(\.token) == single.block.drafts)
    let half = Self.choices(HalfThenRest(), count: 5, kind: kind)
    #expect(half.block.passes == 2 && half.block.meter.headRows == 10)
    let (first, second) = (half.choices.prefix(5), half.choices.suffix(2))
    // The first pass is that of a single one, and the second was for what is left.
    #expect(Array(first) == single.choices && half.choices.count == 7)
    for choice in second {
      #expect(choice.pass == 2 && half.block.fixedAfter[choice.place] == 2)
      #expect(choice.logits != single.choices[choice.place].logits)
      #expect(half.block.drafts[choice.place] == choice.token)
    }
    for place in 0..<5 where half.block.fixedAfter[place] == 1 {
      #expect(half.block.drafts[place] == single.block.drafts[place])
    }
    let threads = Self.choices(HalfThenRest(), count: 5, kind: kind, threads: 2)
    #expect(threads.choices == half.choices && threads.block.drafts == half.block.drafts)
  }

  /// Blocks of several lengths, some of which are done before others.
  @Test(arguments: DrafterKind.allCases, [1, 2])
  func `blocks that share passes are each as it is alone`(kind: DrafterKind, threads: Int) throws {
    var policies: [any DenoisingPolicy] = [HalfThenRest(), Backwards(), OnePass()]
    for name in ["fast-dllm", "hex", "smoothing", "credit", "daedal", "extend:threshold=0"]
    where kind == .tokens || !name.hasPrefix("extend") {
      policies.append(try DenoisingCatalog.policy(name))
    }
    for (policy, maximumBlocks) in policies.flatMap({ policy in [2, 4].map { (policy, $0) } }) {
      func drafts(_ blocks: [(anchor: Token, count: Int)], maximumBlocks: Int) throws -> [String] {
        let runner = DrafterRunnerTests.runner(
          DrafterRunnerTests.configuration(vocabulary: 20, markov: 5, kind: kind),
          threads: threads, maximumBlocks: maximumBlocks
        ).runner
        let requests = try blocks.map {
          let context = try runner.makeContext(capacity: 40)
          context.denoise(by: policy)
          context.round.most = 17
          return DrafterBlock(context: context, anchor: $0.anchor, count: $0.count)
        }
        var seen = [String](repeating: "", count: blocks.count)
        runner.draft(requests) { block, place, logits -> Int in
          seen[block] += "\(place):\((0..<20).map { logits[$0].bitPattern }) "
          return Kernels.argmax(logits, count: 20)
        }
        return zip(seen, requests).map { "\($0) \($1.context.drafts) \($1.context.passes)" }
      }
      let blocks: [(Token, Int)] = [(9, 5), (4, 1), (7, 3), (9, 4)]
      #expect(
        try drafts(blocks, maximumBlocks: maximumBlocks)
          == blocks.flatMap { try drafts([$0], maximumBlocks: 1) }, "\(policy)")
    }
  }

  @Test func `passes are counted as they run`() {
    for count in 1...5 {
      #expect(Self.choices(OnePass(), count: count).block.passes == 1)
      #expect(Self.choices(HalfThenRest(), count: count).block.passes == (count > 1 ? 2 : 1))
      let backwards = Self.choices(Backwards(), count: count)
      #expect(backwards.block.passes == count)
      #expect(backwards.block.fixedAfter == (1...count).reversed())
      // Blocks of five drafts and an anchor.
      #expect(backwards.block.meter.rows == 6 * count)
    }
  }

  // MARK: Invariants

  /// However little a policy knows, a block ends.
  @Test func `every further pass is good for something`() {
    let single = Self.choices(OnePass(), count: 4)
    let idle = Self.choices(Stubborn(), count: 4)
    #expect(idle.block.passes == 1 && idle.block.drafts == single.block.drafts)
    var soft = DenoisingPlan()
    soft.soften = [SoftMask(place: 1, mixture: [(7, 0.5)])]
    #expect(Self.choices(Stubborn(plan: soft), count: 4).block.passes == 5)
    var insert = DenoisingPlan()
    insert.insert = [.init(place: 0, count: 1)]
    #expect(Self.choices(Stubborn(plan: insert), count: 4).block.passes == 5)
    // Fixing and masking again is good for something every time, but not for ever.
    var circle = DenoisingPlan(fix: [PlacedToken(1, 8)])
    circle.remask = [1]
    #expect(Self.choices(Stubborn(plan: circle), count: 4).block.passes == 12)
  }

  @Test func `what is fixed stays`() {
    var block = DenoisedBlock(capacity: 4)
    var opening = BlockOpening()
    opening.presets = [PlacedToken(2, 6)]
    block.begin(
      anchor: 9, count: 4, opening: opening, limits: BlockLimits(vocabulary: 50, maskToken: 3))
    func pass(_ plan: DenoisingPlan) {
      block.countPass(rows: 5)
      for place in block.masked { block.propose(Token(20 + place), confidence: 0.5, at: place) }
      block.take(.pass(plan))
    }
    #expect(block.drafts == [nil, nil, 6, nil] && block.masked == [0, 1, 3])
    // The mask token, tokens that aren't there, places that aren't there and what stands already.
    pass(
      DenoisingPlan(fix: [
        PlacedToken(0, 3), PlacedToken(1, 7), PlacedToken(3, 50), PlacedToken(3, -1),
        PlacedToken(4, 5), PlacedToken(-1, 5), PlacedToken(2, 5), PlacedToken(1, 8),
      ]))
    #expect(block.drafts == [nil, 7, 6, nil] && block.isOpen)
    var plan = DenoisingPlan(fix: [PlacedToken(0, 30)])
    plan.remask = [1, 2, 9, -4]
    pass(plan)
    // Presets are never masked.
    #expect(block.drafts == [30, nil, 6, nil] && block.fixedAfter == [2, 0, 0, 0])
    // What a preset stands behind can't move.
    plan = DenoisingPlan()
    plan.insert = [.init(place: 1, count: 2)]
    pass(plan)
    #expect(!block.isOpen && block.drafts == [30, 21, 6, 23] && block.width == 4)
  }

  @Test func `presets are shown to the first pass`() {
    let single = Self.choices(OnePass(), count: 5)
    let preset = Self.choices(PriorPolicy([PlacedToken(3, 12)]), count: 5)
    #expect(preset.block.passes == 1 && preset.block.drafts[3] == 12)
    #expect(preset.choices.map(\.place) == [0, 1, 2, 4])
    for choice in preset.choices { #expect(choice.logits != single.choices[choice.place].logits) }
    // Where nothing is left to draft there is no pass.
    let whole = Self.choices(PriorPolicy((0..<5).map { PlacedToken($0, 8) }), count: 5)
    #expect(whole.block.passes == 0 && whole.block.drafts == [8, 8, 8, 8, 8])
  }

  /// A bias is added to the logit of its token, whatever its index, and only at its place.
  @Test func `biases are added to logits`() {
    struct Biased: DenoisingPolicy {
      func begin(_ round: DenoisingRound) -> BlockOpening {
        var opening = BlockOpening()
        opening.biases = [
          LogitBias(place: 2, token: round.ends[0], value: 100),
          LogitBias(place: 3, token: -5, value: 9),
          LogitBias(place: 1, token: round.ends[0], value: .nan),
        ]
        return opening
      }
      func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep { .done }
    }
    let plain = Self.choices(OnePass(), count: 5)
    let single = DrafterRunnerTests.runner(
      DrafterRunnerTests.configuration(vocabulary: 20, markov: 5, kind: .tokens))
    single.context.denoise(by: Biased())
    for index in [0, 13, 19] {
      let token = single.runner.token(at: index)
      single.context.round.ends = [token]
      single.draft(anchor: 9, count: 5) { _, logits in Kernels.argmax(logits, count: 20) }
      #expect(single.drafts[2] == token)
      #expect(single.drafts[..<2] == plain.block.drafts[..<2].compactMap(\.self)[...])
    }
  }

  @Test func `a mixture of no weight is the mask`() throws {
    let single = Self.choices(OnePass(), count: 5)
    func second(_ weight: Double) throws -> [Choice] {
      let policy = try DenoisingCatalog.policy("smoothing:weight=\(weight),growth=0,most=4")
      let drafted = Self.choices(policy, count: 5)
      #expect(drafted.block.passes == 2)
      return Array(drafted.choices.suffix(5))
    }
    #expect(try second(0).map(\.logits) == single.choices.map(\.logits))
    #expect(try second(0.5).map(\.logits) != single.choices.map(\.logits))
  }

  /// The pass behind a block is that of a block behind the same tokens, and nothing stays of it.
  @Test func `extended blocks are blocks behind text`() throws {
    let policy = try DenoisingCatalog.policy("extend:threshold=0,rows=5,most=15")
    let drafted = Self.choices(policy, count: 5, most: 20)
    #expect(drafted.block.passes == 3 && drafted.block.drafts.count == 15)
    #expect(drafted.context == 0)
    let first = Self.choices(OnePass(), count: 5)
    #expect(Array(drafted.choices.prefix(5)) == first.choices)
    let single = DrafterRunnerTests.runner(
      DrafterRunnerTests.configuration(vocabulary: 20, markov: 5, kind: .tokens))
    single.appendContext(([9] + first.block.drafts.dropLast().compactMap(\.self))[...])
    single.draft(anchor: try #require(first.block.drafts[4]), count: 5) { _, logits in
      Kernels.argmax(logits, count: 20)
    }
    #expect(single.drafts == drafted.block.drafts[5..<10].compactMap(\.self))
    // No more than the round can verify, and only behind tokens.
    #expect(Self.choices(policy, count: 5, most: 7).block.drafts.count == 7)
    #expect(Self.choices(policy, count: 5, kind: .conditioned, most: 20).block.drafts.count == 5)
  }

  /// Nothing but the round and the passes counts.
  @Test(arguments: DenoisingCatalog.kinds.map { $0.name })
  func `the same rounds make the same steps`(name: String) throws {
    func drafts() throws -> [DenoisedBlock] {
      let single = DrafterRunnerTests.runner(
        DrafterRunnerTests.configuration(vocabulary: 20, markov: 5, kind: .tokens))
      let context = single.context
      context.denoise(by: try DenoisingCatalog.policy(name))
      var text: [Token] = [9]
      return (0..<12).map { number in
        context.judge(text)
        (context.round.position, context.round.most) = (text.count, 12)
        single.appendContext(text[context.count..<text.count - 1])
        single.draft(anchor: text[text.count - 1], count: 5) { _, logits in
          Kernels.argmax(logits, count: 20)
        }
        text += single.drafts.prefix(number % 4) + [Token(number)]
        return context.block
      }
    }
    let (one, other) = (try drafts(), try drafts())
    for (one, other) in zip(one, other) {
      #expect(one.drafts == other.drafts && one.meter == other.meter && one.width == other.width)
      #expect(one.confidences == other.confidences && one.fixedAfter == other.fixedAfter)
    }
    if name == "one-pass" { #expect(one.allSatisfy { $0.passes == 1 && $0.width == 5 }) }
  }

  /// The script that decodes by every policy names every policy.
  @Test func `no policy is left unchecked`() throws {
    let script = TestFiles.package.appending(path: "Scripts/check-policies")
    let words = try String(contentsOf: script, encoding: .utf8).split { " \n()".contains($0) }
    for kind in DenoisingCatalog.kinds {
      #expect(words.contains(Substring(kind.name)), "\(kind.name)")
    }
    for word in words where word.contains("=") && word.contains(":") && !word.contains("$") {
      _ = try DenoisingCatalog.policy(String(word))
    }
  }

  @Test func `policies are asked for by name`() throws {
    for kind in DenoisingCatalog.kinds {
      #expect(try DenoisingCatalog.policy(kind.name).needs.count <= 1)
      for setting in DenoisingCatalog.settings(of: kind) {
        #expect(setting.range.contains(setting.usual))
        for bound in [setting.range.lowerBound, setting.range.upperBound] {
          _ = try DenoisingCatalog.policy("\(kind.name):\(setting.key)=\(bound)")
        }
      }
    }
    func message(_ text: String) -> String? {
      do {
        _ = try DenoisingCatalog.policy(text)
        return nil
      } catch {
        return (error as? SpeculateError)?.description
      }
    }
    #expect(
      message("magic")?.hasPrefix("denoising \"magic\" is not known: use one-pass, steps, ") == true
    )
    #expect(
      message("left-run:gamma=1")
        == "denoising left-run has no setting \"gamma\": use threshold, count, passes, gate")
    #expect(
      message("one-pass:gate=1")
        == "denoising one-pass has no setting \"gate\": give its name alone")
    #expect(
      message("dimple:threshold=7")
        == "denoising dimple: threshold is \"7\", but must be a number from 0 to 2")
    #expect(
      message("dimple:steps=1.5")
        == "denoising dimple: steps is \"1.5\", but must be a whole number from 1 to 1024")
    #expect(
      message("dimple:steps")
        == "denoising dimple: steps is missing, but must be a whole number from 1 to 1024")
    #expect(message("dimple:steps=3,steps=4") == "denoising dimple names steps twice: name it once")
    for text in ["dimple:threshold=nan", "dimple:", "", ":", "dimple:=", "hex:rows=,"] {
      #expect(message(text) != nil, "\(text)")
    }
  }
}
