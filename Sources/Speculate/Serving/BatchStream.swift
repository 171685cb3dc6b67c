/// The events of one request, for one reader.
///
/// They wait for the reader up to a limit, at which the sequence pauses while others go on. Ending the
/// iteration, letting go of the stream, and cancelling the task that reads end the sequence before its
/// next round. What fails a sequence is thrown.
public struct BatchStream: AsyncSequence, Sendable {
  /// What is delivered.
  public typealias Element = BatchEvent

  private let reader: Reader

  init(_ channel: BatchChannel) { reader = Reader(channel) }

  /// Ends the sequence before its next round; nothing more is delivered.
  public func cancel() { reader.channel.cancel() }

  /// Begins to read. Several iterators share the events.
  public func makeAsyncIterator() -> Iterator { Iterator(reader: reader) }

  /// Reads the events.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let reader: Reader

    /// The next event; `nil` behind the last one, or once cancelled.
    public mutating func next() async throws -> BatchEvent? {
      try await reader.channel.next(atMost: 1).first
    }

    /// The next events, as many as there are, about those of a round; none behind the last one, or once
    /// cancelled.
    package mutating func nextTogether() async throws -> [BatchEvent] {
      try await reader.channel.next(atMost: Self.together)
    }

    /// More than a round brings, and few beside what may wait.
    private static let together = 32
  }

  /// Whoever can still read: the last one to go cancels.
  fileprivate final class Reader: Sendable {
    let channel: BatchChannel

    init(_ channel: BatchChannel) { self.channel = channel }

    deinit { channel.cancel() }
  }
}
