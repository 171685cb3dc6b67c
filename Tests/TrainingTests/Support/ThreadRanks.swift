import Foundation
import Synchronization
import Training

/// Processes that work together, here as threads of one, with messages that are copied.
final class ThreadRanks: Sendable {
  private struct Route: Hashable {
    var from: Int
    var to: Int
    var channel: Channel
  }

  private struct State {
    /// Messages that aren't received yet, by their numbers.
    var waiting: [Route: [Int: Data]] = [:]
    var sent: [Route: Int] = [:]
    var posted: [Route: Int] = [:]
    /// Once a rank has failed the others must not wait for it.
    var isBroken = false
  }

  /// Another rank has thrown.
  struct Broken: Error {}

  let count: Int
  private let state = Mutex(State())

  init(count: Int) { self.count = count }

  /// Runs `body` on every rank at once; returns what each returns.
  ///
  /// - Throws: What the first rank to fail threw.
  static func run<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (any Communicator) throws -> Value
  ) throws -> [Value] {
    let all = results(count, body)
    for (_, result) in all {
      if case .failure(let error) = result, !(error is Broken) { throw error }
    }
    return try all.map { try $0.1.get() }
  }

  /// The same, with what each rank throws.
  static func results<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (any Communicator) throws -> Value
  ) -> [(Int, Result<Value, any Error>)] {
    let ranks = ThreadRanks(count: count)
    let results = Mutex([Int: Result<Value, any Error>]())
    for rank in 0..<count {
      let thread = Thread {
        let result = Result { try body(Rank(ranks: ranks, rank: rank)) }
        if case .failure = result { ranks.state.withLock { $0.isBroken = true } }
        results.withLock { $0[rank] = result }
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    while results.withLock({ $0.count }) < count { usleep(1000) }
    return results.withLock { $0.sorted { $0.key < $1.key } }
  }

  struct Rank: Communicator {
    let ranks: ThreadRanks
    let rank: Int
    var rankCount: Int { ranks.count }

    func send(
      _ bytes: UnsafeRawBufferPointer, to rank: Int, on channel: Channel
    ) throws -> any Transfer {
      let route = Route(from: self.rank, to: rank, channel: channel)
      let data = Data(bytes)
      ranks.state.withLock {
        $0.waiting[route, default: [:]][$0.sent[route, default: 0]] = data
        $0.sent[route, default: 0] += 1
      }
      return Sent()
    }

    func receive(
      _ bytes: UnsafeMutableRawBufferPointer, from rank: Int, on channel: Channel
    ) throws -> any Transfer {
      let route = Route(from: rank, to: self.rank, channel: channel)
      let number = ranks.state.withLock {
        $0.posted[route, default: 0] += 1
        return $0.posted[route, default: 0] - 1
      }
      return Receipt(ranks: ranks, route: route, number: number, bytes: bytes)
    }

    func arrived(on channel: Channel) throws -> (rank: Int, count: Int)? {
      try ranks.state.withLock { state in
        if state.isBroken { throw Broken() }
        for other in 0..<ranks.count {
          let route = Route(from: other, to: rank, channel: channel)
          let next = state.posted[route, default: 0]
          if let data = state.waiting[route]?[next] { return (other, data.count) }
        }
        return nil
      }
    }
  }

  private struct Sent: Transfer {
    func isDone() -> Bool { true }
  }

  private final class Receipt: Transfer {
    private let ranks: ThreadRanks
    private let route: Route
    private let number: Int
    private let bytes: UnsafeMutableRawBufferPointer
    private var isHere = false

    init(
      ranks: ThreadRanks, route: Route, number: Int, bytes: UnsafeMutableRawBufferPointer
    ) {
      (self.ranks, self.route, self.number, self.bytes) = (ranks, route, number, bytes)
    }

    func isDone() throws -> Bool {
      if isHere { return true }
      let data: Data? = try ranks.state.withLock {
        if let data = $0.waiting[route]?.removeValue(forKey: number) { return data }
        if $0.isBroken { throw Broken() }
        return nil
      }
      guard let data else { return false }
      precondition(data.count == bytes.count, "as many bytes are received as were sent")
      data.copyBytes(to: bytes)
      isHere = true
      return true
    }
  }
}
