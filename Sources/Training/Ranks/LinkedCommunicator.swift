import Files
import Foundation
import Synchronization

/// A network between ranks: each has one adapter to a switch that never is the narrow place.
package struct NetworkLink: Sendable, Equatable {
  /// Bytes a second that an adapter sends, and as many that it receives; nil for any number.
  package var bytesPerSecond: Double?
  /// Seconds from when a byte has left an adapter until it is at another.
  package var latency: Double

  package init(bytesPerSecond: Double?, latency: Double) {
    (self.bytesPerSecond, self.latency) = (bytesPerSecond, latency)
  }

  /// How long an adapter is busy with a message.
  func seconds(of bytes: Int) -> Double { bytesPerSecond.map { Double(bytes) / $0 } ?? 0 }
}

/// A communicator whose messages arrive as late as over a network of given speed, with the bytes that were
/// sent: for measurements of what a network costs, where there is none.
///
/// A message leaves the sender's adapter behind those sent before, to whomever, and reaches the receiver's
/// behind those that came before. It carries the time when it is there, so all ranks must share a clock,
/// that is, run on one machine. Work takes what it takes: processors are not slowed.
package final class LinkedCommunicator: Communicator {
  private let inner: any Communicator
  private let link: NetworkLink
  private let clock: @Sendable () -> Double
  private let adapter = Mutex(Adapter())

  /// When an adapter has done what it was given, in the clock's seconds.
  private struct Adapter {
    var sendsUntil = -Double.infinity
    var receivesUntil = -Double.infinity
  }

  /// Bytes behind each message: when its last byte is at the receiver's adapter.
  private static let stamp = MemoryLayout<Double>.size

  /// - Parameters:
  ///   - inner: What carries the messages, fast in comparison.
  ///   - clock: Seconds of a clock that all ranks share.
  package init(
    _ inner: any Communicator, link: NetworkLink,
    clock: @escaping @Sendable () -> Double = { Stopwatch.now }
  ) {
    (self.inner, self.link, self.clock) = (inner, link, clock)
  }

  package var rank: Int { inner.rank }
  package var rankCount: Int { inner.rankCount }

  package func send(
    _ bytes: UnsafeRawBufferPointer, to rank: Int, on channel: Channel
  ) throws -> any Transfer {
    let (now, busy) = (clock(), link.seconds(of: bytes.count))
    let gone = adapter.withLock {
      $0.sendsUntil = max(now, $0.sendsUntil) + busy
      return $0.sendsUntil
    }
    let message = Message(bytes.count + Self.stamp)
    message.bytes.copyMemory(from: bytes)
    message.bytes.storeBytes(of: gone + link.latency, toByteOffset: bytes.count, as: Double.self)
    let transfer = try inner.send(UnsafeRawBufferPointer(message.bytes), to: rank, on: channel)
    return LinkedTransfer(transfer, message) { [clock] _ in clock() >= gone }
  }

  package func receive(
    _ bytes: UnsafeMutableRawBufferPointer, from rank: Int, on channel: Channel
  ) throws -> any Transfer {
    let message = Message(bytes.count + Self.stamp)
    let transfer = try inner.receive(message.bytes, from: rank, on: channel)
    let busy = link.seconds(of: bytes.count)
    var there: Double?
    return LinkedTransfer(transfer, message) { [self] message in
      let now = clock()
      let arrival = message.bytes.loadUnaligned(fromByteOffset: bytes.count, as: Double.self)
      // Only what has come keeps the adapter from others.
      guard now >= arrival else { return false }
      let due =
        there
        ?? adapter.withLock {
          $0.receivesUntil = max(arrival, $0.receivesUntil + busy)
          return $0.receivesUntil
        }
      there = due
      guard now >= due else { return false }
      bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: message.bytes[..<bytes.count]))
      return true
    }
  }

  /// A message counts as arrived when it is on its way; who receives it waits for it.
  package func arrived(on channel: Channel) throws -> (rank: Int, count: Int)? {
    try inner.arrived(on: channel).map { ($0.rank, $0.count - Self.stamp) }
  }
}

/// Bytes with a stamp behind them.
private final class Message {
  let bytes: UnsafeMutableRawBufferPointer

  init(_ count: Int) { bytes = .allocate(byteCount: count, alignment: 8) }

  deinit { bytes.deallocate() }
}

/// A message under way, of which it holds the bytes.
private final class LinkedTransfer: Transfer {
  private let inner: any Transfer
  private let end: (Message) -> Bool
  /// nil once the transfer is done.
  private var message: Message?
  private var isCarried = false

  /// - Parameter end: Called when the bytes are carried, until it is true; whether the link is done with them.
  init(_ inner: any Transfer, _ message: Message, end: @escaping (Message) -> Bool) {
    (self.inner, self.message, self.end) = (inner, message, end)
  }

  func isDone() throws -> Bool {
    guard let message else { return true }
    if !isCarried { isCarried = try inner.isDone() }
    guard isCarried, end(message) else { return false }
    self.message = nil
    return true
  }
}
