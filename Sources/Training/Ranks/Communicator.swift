import Foundation

/// One process of several that do the same work together: its rank, and how bytes get to the others.
///
/// Messages between two ranks arrive in the order in which they were sent, on each channel. One thread
/// at a time calls.
package protocol Communicator: Sendable {
  var rank: Int { get }
  /// How many processes there are.
  var rankCount: Int { get }

  /// Begins to send.
  ///
  /// - Parameter bytes: They stay as they are until the transfer is done.
  func send(
    _ bytes: UnsafeRawBufferPointer, to rank: Int, on channel: Channel
  ) throws -> any Transfer

  /// Begins to receive exactly as many bytes as were sent.
  func receive(
    _ bytes: UnsafeMutableRawBufferPointer, from rank: Int, on channel: Channel
  ) throws -> any Transfer

  /// The first message that has arrived on a channel and isn't being received yet.
  func arrived(on channel: Channel) throws -> (rank: Int, count: Int)?
}

/// What messages are about; those of one channel don't overtake each other.
package enum Channel: Int, Sendable, CaseIterable {
  /// What all ranks do together.
  case steps = 1
  /// What one rank has made, when it is made.
  case mail
}

/// Bytes under way.
package protocol Transfer {
  /// Whether they are there; asking lets all transfers go on.
  func isDone() throws -> Bool
}

extension Transfer {
  /// Waits until they are there.
  package func wait() throws {
    var pause = Pause()
    while try !isDone() { pause.wait() }
  }
}

/// What a thread does that waits for other processes: first it asks again at once, soon it leaves the
/// processor to others, which may be the very ranks that it waits for, and at last it sleeps.
package struct Pause {
  private var asked = 0

  package init() {}

  /// Waits a little.
  package mutating func wait() {
    asked += 1
    switch asked {
    case ...64: break
    case ...1024: sched_yield()
    default: usleep(asked < 4096 ? 50 : 500)
    }
  }

  /// Something has come: what is next may come soon.
  package mutating func reset() { asked = 0 }
}

/// The only process of its work.
package struct SingleRank: Communicator {
  package var rank: Int { 0 }
  package var rankCount: Int { 1 }

  package init() {}

  package func send(
    _ bytes: UnsafeRawBufferPointer, to rank: Int, on channel: Channel
  ) -> any Transfer { preconditionFailure("a single rank has nobody to send to") }

  package func receive(
    _ bytes: UnsafeMutableRawBufferPointer, from rank: Int, on channel: Channel
  ) -> any Transfer { preconditionFailure("a single rank has nobody to hear from") }

  package func arrived(on channel: Channel) -> (rank: Int, count: Int)? { nil }
}
