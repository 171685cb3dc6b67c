import Foundation
import Synchronization
import Testing
import Training

/// Messages over a network that isn't there, by a clock that the test sets.
@Suite struct LinkTests {
  /// Seconds that a test says have passed.
  private final class Clock: Sendable {
    private let time = Mutex(100.0)
    var now: Double {
      get { time.withLock { $0 } }
      set { time.withLock { $0 = newValue } }
    }
  }

  /// Three ranks whose adapters carry 1000 bytes a second, half a second apart.
  private struct Network {
    let clock = Clock()
    let ranks: [LinkedCommunicator]

    init(bytesPerSecond: Double? = 1000) {
      let inner = ThreadRanks(count: 3)
      ranks = (0..<3).map { [clock] rank in
        LinkedCommunicator(
          ThreadRanks.Rank(ranks: inner, rank: rank),
          link: NetworkLink(bytesPerSecond: bytesPerSecond, latency: 0.5)
        ) { clock.now }
      }
    }
  }

  private func buffer(_ count: Int, of value: UInt8) -> UnsafeMutableRawBufferPointer {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
    for index in bytes.indices { bytes[index] = value }
    return bytes
  }

  /// The first of some times at which a transfer is done; they ascend.
  private func end(_ transfer: any Transfer, _ clock: Clock, _ times: [Double]) throws -> Double? {
    for time in times {
      clock.now = 100 + time
      if try transfer.isDone() { return time }
    }
    return nil
  }

  @Test func `messages leave an adapter one behind another, to whomever`() throws {
    let network = Network()
    let (bytes, near, far) = (buffer(1000, of: 7), buffer(1000, of: 0), buffer(1000, of: 0))
    defer { for buffer in [bytes, near, far] { buffer.deallocate() } }
    let source = UnsafeRawBufferPointer(bytes)
    let first = try network.ranks[0].send(source, to: 1, on: .steps)
    let second = try network.ranks[0].send(source, to: 2, on: .steps)
    let (nearly, farther) = (
      try network.ranks[1].receive(near, from: 0, on: .steps),
      try network.ranks[2].receive(far, from: 0, on: .steps)
    )
    #expect(try end(first, network.clock, [0, 0.99, 1]) == 1)
    #expect(try end(nearly, network.clock, [1.49, 1.51]) == 1.51)
    #expect(near.allSatisfy { $0 == 7 })
    #expect(try !second.isDone() && !farther.isDone())
    #expect(far.allSatisfy { $0 == 0 }, "nothing comes before its time")
    #expect(try end(second, network.clock, [1.99, 2]) == 2)
    #expect(try end(farther, network.clock, [2.49, 2.51]) == 2.51)
    #expect(far.allSatisfy { $0 == 7 })
    // An adapter that has been idle begins anew.
    network.clock.now = 110
    let later = try network.ranks[0].send(source, to: 1, on: .mail)
    #expect(try end(later, network.clock, [10.99, 11]) == 11)
  }

  @Test func `messages reach an adapter one behind another, from whomever`() throws {
    let network = Network()
    let (bytes, some, more) = (buffer(1000, of: 7), buffer(1000, of: 0), buffer(1000, of: 0))
    defer { for buffer in [bytes, some, more] { buffer.deallocate() } }
    let source = UnsafeRawBufferPointer(bytes)
    _ = try network.ranks[0].send(source, to: 1, on: .steps)
    _ = try network.ranks[2].send(source, to: 1, on: .steps)
    let first = try network.ranks[1].receive(some, from: 0, on: .steps)
    let second = try network.ranks[1].receive(more, from: 2, on: .steps)
    #expect(try end(first, network.clock, [1.49, 1.51]) == 1.51)
    // Both have come at 1.5; the second takes the adapter another second.
    #expect(try end(second, network.clock, [1.51, 2.49, 2.51]) == 2.51)
    // Receiving doesn't keep an adapter from sending.
    let back = try network.ranks[1].send(source, to: 0, on: .steps)
    #expect(try end(back, network.clock, [3.5, 3.52]) == 3.52)
  }

  @Test func `a link without a rate has its latency alone`() throws {
    let network = Network(bytesPerSecond: nil)
    let (bytes, some) = (buffer(1 << 20, of: 7), buffer(1 << 20, of: 0))
    defer { for buffer in [bytes, some] { buffer.deallocate() } }
    _ = try network.ranks[0].send(UnsafeRawBufferPointer(bytes), to: 1, on: .mail)
    #expect(try network.ranks[1].arrived(on: .mail).map { [$0.rank, $0.count] } == [0, 1 << 20])
    let transfer = try network.ranks[1].receive(some, from: 0, on: .mail)
    #expect(try end(transfer, network.clock, [0.49, 0.51]) == 0.51)
    #expect(some.allSatisfy { $0 == 7 })
  }
}
