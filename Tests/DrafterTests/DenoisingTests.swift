import Files
import Drafter
import Tensors
import TestSupport
import Testing

/// Policies that take more than one pass, which only tests have.
@Suite struct DenoisingTests {
  /// The surer half of the drafts first, then the rest.
  struct HalfThenRest: DenoisingPolicy {
    func next(_ block: DenoisedBlock) -> DenoisingStep {
      guard block.passes == 1 else { return .done }
      let order = block.drafts.indices.sorted { block.certainty(of: $0) > block.certainty(of: $1) }
      return .fix(Array(order.prefix((order.count + 1) / 2)))
    }
  }

  /// One draft after the other, from the last on.
  struct Backwards: DenoisingPolicy {
    func next(_ block: DenoisedBlock) -> DenoisingStep {
      .fix(block.drafts.lastIndex(of: nil).map { [$0] } ?? [])
    }
  }

  /// Says nothing that can be done.
  struct Idle: DenoisingPolicy {
    func next(_ block: DenoisedBlock) -> DenoisingStep { .fix([]) }
  }

  private struct Choice: Equatable {
    var place: Int
    var logits: [UInt32]
    var token: Int
  }

  private static func choices(
    _ policy: any DenoisingPolicy, count: Int, kind: DrafterKind = .tokens, threads: Int = 1
  ) -> (choices: [Choice], drafts: [Token], passes: Int) {
    let runner = DrafterRunnerTests.runner(
      DrafterRunnerTests.configuration(vocabulary: 20, markov: 5, kind: kind), threads: threads)
    runner.runner.policy = policy
    var seen: [Choice] = []
    runner.draft(anchor: 9, count: count) { place, logits in
      let bits = (0..<20).map { logits[$0].bitPattern }
      let token = Kernels.argmax(logits, count: 20)
      seen.append(Choice(place: place, logits: bits, token: token))
      // As choosers do.
      logits.update(repeating: .nan, count: 20)
      return token
    }
    #expect(seen.map(\.place).sorted() == Array(0..<count))
    let inOrder = seen.sorted { $0.place < $1.place }
    #expect(runner.drafts == inOrder.map { runner.runner.token(at: $0.token) })
    return (seen, runner.drafts, runner.passes)
  }

  @Test(arguments: DrafterKind.allCases) func `a second pass sees what is fixed`(
    kind: DrafterKind
  ) {
    let single = Self.choices(SinglePass(), count: 5, kind: kind)
    #expect(single.passes == 1 && single.choices.map(\.place) == [0, 1, 2, 3, 4])
    let half = Self.choices(HalfThenRest(), count: 5, kind: kind)
    #expect(half.passes == 2)
    let (first, second) = (half.choices.prefix(3), half.choices.suffix(2))
    #expect(first.map(\.place) == first.map(\.place).sorted())
    #expect(second.map(\.place) == second.map(\.place).sorted())
    for choice in second { #expect(choice.logits != single.choices[choice.place].logits) }
    // What has no mask before it is chosen as in a single pass.
    for choice in first where choice.place == 0 { #expect(choice == single.choices[0]) }
    #expect(Self.choices(HalfThenRest(), count: 5, kind: kind, threads: 2) == half)
  }

  /// Blocks of several lengths, some of which are done before others.
  @Test(arguments: DrafterKind.allCases, [1, 2])
  func `blocks that share passes are each as it is alone`(kind: DrafterKind, threads: Int) throws {
    for (policy, maximumBlocks) in [
      (HalfThenRest(), 4), (Backwards(), 4), (HalfThenRest(), 3), (SinglePass(), 2),
    ] as [(any DenoisingPolicy, Int)] {
      func drafts(_ blocks: [(anchor: Token, count: Int)], maximumBlocks: Int) throws -> [String] {
        let runner = DrafterRunnerTests.runner(
          DrafterRunnerTests.configuration(vocabulary: 20, markov: 5, kind: kind),
          threads: threads, maximumBlocks: maximumBlocks
        ).runner
        runner.policy = policy
        let requests = try blocks.map {
          DrafterBlock(
            context: try runner.makeContext(capacity: 20), anchor: $0.anchor, count: $0.count)
        }
        var seen = [String](repeating: "", count: blocks.count)
        runner.draft(requests) { block, place, logits in
          seen[block] += "\(place):\((0..<20).map { logits[$0].bitPattern }) "
          return Kernels.argmax(logits, count: 20)
        }
        return zip(seen, requests).map { "\($0) \($1.context.drafts) \($1.context.passes)" }
      }
      let blocks: [(Token, Int)] = [(9, 5), (4, 1), (7, 3), (9, 4)]
      #expect(
        try drafts(blocks, maximumBlocks: maximumBlocks)
          == blocks.flatMap { try drafts([$0], maximumBlocks: 1) })
    }
  }

  @Test func `passes are counted as they run`() {
    for count in 1...5 {
      #expect(Self.choices(SinglePass(), count: count).passes == 1)
      #expect(Self.choices(HalfThenRest(), count: count).passes == (count > 1 ? 2 : 1))
      let backwards = Self.choices(Backwards(), count: count)
      #expect(backwards.passes == count)
      #expect(backwards.choices.map(\.place) == (0..<count).reversed())
    }
  }

  /// However little a policy knows, a block ends.
  @Test func `a policy that fixes nothing is done`() {
    let (idle, single) = (Self.choices(Idle(), count: 4), Self.choices(SinglePass(), count: 4))
    #expect(idle.passes == 1 && idle.choices == single.choices)
  }

  /// A policy sees which rows are surer, and a block what is due, without a model.
  @Test func `a block says what is due`() {
    var block = DenoisedBlock(capacity: 4, choices: 3)
    block.begin(anchor: 9, count: 3)
    let logits: [Float] = [1, 0, 0, 5, 0, 0, 0, 0, 0]
    logits.withUnsafeBufferPointer { rows in
      guard let base = rows.baseAddress else { return }
      block.finishPass(base, HalfThenRest())
      #expect((0..<3).map(block.isDue) == [true, true, false])
      #expect(block.certainty(of: 1) > 0.98 && abs(block.certainty(of: 2) - 1.0 / 3) < 1e-6)
      block.set(4, at: 1)
      block.set(5, at: 0)
      #expect(block.hasMasks && block.drafts == [5, 4, nil])
      block.finishPass(base, HalfThenRest())
      #expect((0..<3).map(block.isDue) == [false, false, true] && block.passes == 2)
      block.set(6, at: 2)
      #expect(!block.hasMasks && block.drafts == [5, 4, 6])
    }
  }
}
