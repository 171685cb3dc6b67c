import Foundation
import Synchronization
import Files
import Tensors
import TestSupport
import Testing
import Training

/// Several processes that train together, here as threads, against one with as many lanes.
@Suite struct ExchangeTests {
  /// Where processes wait for one another.
  final class Meeting: @unchecked Sendable {
    // Unchecked: the condition guards everything.
    private let condition = NSCondition()
    private let count: Int
    private var given: [Int: any Sendable] = [:]
    private var last: [any Sendable] = []
    private var round = 0

    init(count: Int) { self.count = count }

    /// Gives what a process has; returns what all have, in their order.
    func exchange(_ value: any Sendable, of rank: Int) -> [any Sendable] {
      condition.withLock {
        given[rank] = value
        let now = round
        if given.count == count {
          last = (0..<count).compactMap { given[$0] }
          given = [:]
          round += 1
          condition.broadcast()
        }
        while round == now { condition.wait() }
        return last
      }
    }
  }

  /// One process's side of a meeting.
  struct Rank: Exchange {
    var number: Int
    var lanes: Range<Int>
    var laneCount: Int
    var meeting: Meeting

    func sum<Losses: LossSum>(_ own: [Losses]) throws -> Losses {
      try all(own).reduce(into: Losses()) { $0 += $1 }
    }

    func sum(_ own: [FloatBuffer], workers: Workers) throws -> Double {
      let copies = try all(own).map { lane in
        let copy = FloatBuffer(count: lane.count)
        copy.base.update(from: lane.base, count: lane.count)
        return copy
      }
      _ = try all([number])  // all have copied
      let norm = GradientSum.reduce(copies, workers: workers)
      withExtendedLifetime(copies) {
        own[0].base.update(from: copies[0].base, count: own[0].count)
      }
      return norm
    }

    private func all<Value: Sendable>(_ own: [Value]) throws -> [Value] {
      try meeting.exchange(own, of: number).flatMap { try #require($0 as? [Value]) }
    }
  }

  @Test(arguments: [(ranks: 2, lanes: 1), (2, 2), (3, 1)])
  func `a batch spread over processes gives one process's bits`(ranks: Int, lanes: Int) throws {
    let folder = try TemporaryFolder()
    var options = try PretrainRecipeTests.options(folder, output: "one", threads: ranks * lanes)
    options.steps = 3
    let reference = try PretrainRecipeTests.run(options).progress
    let tensors = try TinyTraining.tensors(options.output.appending(path: "checkpoint.safetensors"))

    let meeting = Meeting(count: ranks)
    let results = Mutex([Int: Result<[PretrainProgress], any Error>]())
    let threads = (0..<ranks).map { [options] rank in
      var own = options
      own.output = folder.file("rank\(rank)")
      return Thread { [own] in
        let exchange = Rank(
          number: rank, lanes: rank * lanes..<(rank + 1) * lanes, laneCount: ranks * lanes,
          meeting: meeting)
        let result = Result {
          var progress: [PretrainProgress] = []
          try PretrainRecipe(own, exchange: exchange)
            .run(shouldStop: { false }, report: { progress.append($0) })
          return progress
        }
        results.withLock { $0[rank] = result }
      }
    }
    for thread in threads { thread.start() }
    while results.withLock({ $0.count }) < ranks { usleep(1000) }
    for rank in 0..<ranks {
      let progress = try #require(results.withLock { $0[rank] }).get()
      #expect(progress.map(\.loss) == reference.map(\.loss))
      #expect(progress.map(\.gradientNorm) == reference.map(\.gradientNorm))
      #expect(progress.map(\.heldoutLoss) == reference.map(\.heldoutLoss))
      #expect(
        try TinyTraining.tensors(folder.file("rank\(rank)/checkpoint.safetensors")) == tensors)
    }
  }
}
