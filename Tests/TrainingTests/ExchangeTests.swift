import CKernels
import Files
import Foundation
import Synchronization
import TestSupport
import Tensors
import Testing
import Training

/// Sums over lanes, however these are spread.
@Suite struct ExchangeTests {
  /// A gradient of values of all magnitudes, whose sum depends on the order of additions.
  private static func lane(_ number: Int, count: Int) -> FloatBuffer {
    let buffer = FloatBuffer(count: count)
    var random = KeyedRandom(seed: 4, key: "lane \(number)")
    for index in 0..<count {
      buffer.base[index] =
        Float(random.uniform() - 0.5) * (index % 3 == 0 ? 1e4 : index % 3 == 1 ? 1 : 1e-4)
    }
    return buffer
  }

  /// What all ranks have of the sum of some lanes, and of its norm.
  private static func sums(
    ranks: Int, lanes: Int, count: Int, threads: Int, _ precision: SumPrecision,
    link: NetworkLink? = nil
  ) throws -> [Sum] {
    try ThreadRanks.run(ranks) { rank in
      let exchange = Exchange(
        ranks: link.map { LinkedCommunicator(rank, link: $0) } ?? rank, laneCount: lanes,
        precision: precision)
      var sum = Sum(values: [], norms: [])
      // An exchange is used again and again.
      for _ in 0..<2 {
        let own = exchange.lanes.map { lane($0, count: count) }
        sum.norms.append(
          try exchange.sum(own, workers: Workers(count: threads)).bitPattern)
        sum.values = (0..<count).map { own[0].base[$0].bitPattern }
      }
      return sum
    }
  }

  private struct Sum: Equatable {
    var values: [UInt32]
    var norms: [UInt64]
  }

  /// 600 thousand values are three pieces, and parts of five lanes end within blocks.
  @Test(arguments: SumPrecision.allCases, [1, 4097, 600_001])
  func `a sum of lanes has the same bits on any number of ranks`(
    precision: SumPrecision, count: Int
  ) throws {
    let one = try Self.sums(ranks: 1, lanes: 5, count: count, threads: 1, precision)[0]
    for (ranks, threads) in [(1, 2), (2, 1), (3, 2), (4, 1), (5, 1)] {
      let all = try Self.sums(ranks: ranks, lanes: 5, count: count, threads: threads, precision)
      #expect(all.allSatisfy { $0 == one }, "\(ranks) ranks")
    }
  }

  /// While the last lane's gradient has only its upper part, that part's sum comes all the way back.
  @Test(arguments: SumPrecision.allCases, [2, 3, 4])
  func `a sum begins before gradients are whole`(precision: SumPrecision, ranks: Int) throws {
    let (count, lanes, upper) = (600_001, 5, 250_000)
    let reference = try Self.sums(
      ranks: 1, lanes: lanes, count: count, threads: 1, precision)[0]
    let all = try ThreadRanks.run(ranks) { rank in
      let exchange = Exchange(ranks: rank, laneCount: lanes, precision: precision)
      let whole = exchange.lanes.map { Self.lane($0, count: count) }
      let own = exchange.lanes.map { _ in FloatBuffer(count: count) }
      for (lane, values) in zip(own, whole) {
        (lane.base + upper).update(from: values.base + upper, count: count - upper)
      }
      exchange.begin(own)
      // A piece may begin below and not be final: the last ones are above.
      let certain = upper + 64 * 4096..<count
      func isSummed() -> Bool {
        certain.allSatisfy { own[0].base[$0].bitPattern == reference.values[$0] }
      }
      while !isSummed() { _ = try exchange.advance(own, from: upper) }
      for (lane, values) in zip(own, whole) {
        lane.base.update(from: values.base, count: upper)
      }
      let norm = try exchange.sum(own, workers: Workers(count: 2))
      return Sum(values: (0..<count).map { own[0].base[$0].bitPattern }, norms: [norm.bitPattern])
    }
    #expect(all.allSatisfy { $0.values == reference.values })
    #expect(all.allSatisfy { $0.norms == [reference.norms[0]] })
  }

  @Test(arguments: SumPrecision.allCases)
  func `a slow network doesn't change a bit`(precision: SumPrecision) throws {
    let one = try Self.sums(ranks: 1, lanes: 5, count: 100_001, threads: 1, precision)[0]
    let link = NetworkLink(bytesPerSecond: 1e9, latency: 1e-4)
    for ranks in 2...4 {
      let all = try Self.sums(
        ranks: ranks, lanes: 5, count: 100_001, threads: 1, precision, link: link)
      #expect(all.allSatisfy { $0 == one }, "\(ranks) ranks")
    }
  }

  /// Passes that make gradients final at their own pace, and a thread that follows them.
  @Test func `a sum follows the slowest pass`() throws {
    let (count, lanes) = (600_001, 5)
    let reference = try Self.sums(ranks: 1, lanes: lanes, count: count, threads: 1, .f32)[0]
    let all = try ThreadRanks.run(2) { rank in
      let exchange = Exchange(ranks: rank, laneCount: lanes)
      let whole = exchange.lanes.map { Self.lane($0, count: count) }
      let own = exchange.lanes.map { _ in FloatBuffer(count: count) }
      let marks = exchange.lanes.map { _ in GradientMark(count: count) }
      exchange.begin(own)
      let left = Atomic(own.count)
      let follower = Mutex((any Error)?.none)
      Workers(count: own.count + 1).run { worker in
        guard worker < own.count else {
          do {
            try exchange.follow(own, marks) { _ in left.load(ordering: .acquiring) == 0 }
          } catch { follower.withLock { $0 = error } }
          return
        }
        var random = KeyedRandom(seed: 9, key: "pace \(rank.rank) \(worker)")
        var first = count
        while first > 0 {
          let next = max(0, first - 1 - Int(random.next() % 90_000))
          (own[worker].base + next).update(from: whole[worker].base + next, count: first - next)
          marks[worker].settle(from: next)
          first = next
        }
        left.subtract(1, ordering: .releasing)
      }
      if let error = follower.withLock({ $0 }) { throw error }
      let norm = try exchange.sum(own, workers: Workers(count: 1))
      return Sum(values: (0..<count).map { own[0].base[$0].bitPattern }, norms: [norm.bitPattern])
    }
    #expect(all.allSatisfy { $0.values == reference.values })
    #expect(all.allSatisfy { $0.norms == [reference.norms[0]] })
  }

  /// The sum is that of whole buffers one after another, and the norm that of parts as many as lanes.
  @Test(arguments: [1, 2, 3, 7])
  func `a sum is the lanes' in order`(lanes: Int) throws {
    let count = 50_003
    let own = (0..<lanes).map { Self.lane($0, count: count) }
    let sum = Self.lane(0, count: count)
    var squares = 0.0
    for part in 0..<lanes {
      let part = (0..<count).share(of: part, among: lanes)
      for lane in own.dropFirst().dropLast(lanes > 1 ? 1 : 0) {
        ct_add(part.count, lane.base + part.lowerBound, sum.base + part.lowerBound)
      }
      squares +=
        lanes > 1
        ? ct_add_and_sum_squares(
          part.count, own[lanes - 1].base + part.lowerBound, sum.base + part.lowerBound)
        : ct_sum_squares(part.count, sum.base + part.lowerBound)
    }
    let norm = try Exchange(ranks: SingleRank(), laneCount: lanes)
      .sum(own, workers: Workers(count: 2))
    #expect(norm == squares.squareRoot())
    #expect((0..<count).allSatisfy { own[0].base[$0] == sum.base[$0] })
  }

  @Test func `sums in bf16 round after every lane`() throws {
    let own = (0..<3).map { Self.lane($0, count: 5000) }
    func rounded(_ value: Float) -> Float {
      let bits = value.bitPattern
      return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
    }
    let expected = (0..<5000).map { index in
      own.dropFirst().reduce(rounded(own[0].base[index])) { rounded($0 + $1.base[index]) }
    }
    let norm = try Exchange(ranks: SingleRank(), laneCount: 3, precision: .bf16)
      .sum(own, workers: Workers(count: 2))
    #expect((0..<5000).allSatisfy { own[0].base[$0] == expected[$0] })
    let exact = expected.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    #expect(abs(norm - exact) < 1e-5 * exact)
    var special: [Float] = [.nan, .infinity, -.infinity, Float(bitPattern: 0x7F80_0001), -0.0]
    ct_round_bf16(special.count, &special)
    #expect(special[0].isNaN && special[3].isNaN && special[1...2] == [.infinity, -.infinity])
    #expect(special[4].bitPattern == 0x8000_0000)
  }

  @Test(arguments: 1...5)
  func `what one rank has all get`(count: Int) throws {
    let size = 3 << 23  // more than a piece
    for root in 0..<count {
      let copies = try ThreadRanks.run(count) { rank in
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
        defer { bytes.deallocate() }
        let seed = rank.rank == root ? 7 : 1
        for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* seed) }
        try rank.broadcast(bytes, from: root)
        return bytes.indices.allSatisfy { bytes[$0] == UInt8(truncatingIfNeeded: $0 &* 7) }
      }
      #expect(copies == [Bool](repeating: true, count: count))
      if root > 0 { break }
    }
    let values = try ThreadRanks.run(count) { rank in
      try rank.broadcast(coded: rank.isFirst ? ["a": 0.1, "b": .pi] : nil)
    }
    #expect(values.allSatisfy { $0 == ["a": 0.1, "b": .pi] })
    let none = try ThreadRanks.run(count) { try $0.broadcast(coded: Int?.none) }
    #expect(none.allSatisfy { $0 == nil })
    let sums = try ThreadRanks.run(count) { rank in
      try rank.sum((0..<3).map { 0.1 * Double(rank.rank * 3 + $0) })
    }
    let expected = (0..<3 * count).reduce(into: 0.0) { $0 += 0.1 * Double($1) }
    #expect(sums.allSatisfy { $0 == expected })
  }

  @Test func `a rank that differs from the first says so`() throws {
    let results = ThreadRanks.results(3) { rank in
      try rank.agree(
        ["‘seed’": rank.rank == 2 ? "2" : "1", "‘data’": "x"], advice: "give all the same")
      return try rank.sum([1]) as Int
    }
    guard case .failure(let error) = results[2].1 else {
      Issue.record("rank 2 must fail")
      return
    }
    #expect(
      error as? SpeculateError
        == SpeculateError(
          "rank 2 on \(hostName) has another ‘seed’ (2) than rank 0 (1): give all the same"))
  }
}
