import Synchronization

/// Events on the way from the thread that decodes to a reader.
final class BatchChannel: Sendable {
  private struct State {
    var events: [BatchEvent] = []
    /// How many of them were read.
    var first = 0
    var waiting: Reader?
    var hasEnded = false
    var failure: (any Error)?
    var isCancelled = false

    var count: Int { events.count - first }

    mutating func takeWaiting() -> Reader? {
      defer { waiting = nil }
      return waiting
    }

    /// Takes the oldest events.
    mutating func take(_ most: Int) -> [BatchEvent] {
      let taken = Array(events[first...].prefix(most))
      first += taken.count
      if first == events.count {
        events.removeAll(keepingCapacity: true)
        first = 0
      }
      return taken
    }

    /// What a reader gets at once, or `nil` if it waits, and whether there is room again.
    mutating func read(
      _ reader: Reader, limit: Int
    ) -> (Result<[BatchEvent], any Error>?, hasRoom: Bool) {
      if isCancelled { return (.success([]), false) }
      if count > 0 {
        let before = count
        let events = take(reader.most)
        let hasRoom =
          before >= limit && count < limit || before > limit / 2 && count <= limit / 2
        return (.success(events), hasRoom)
      }
      if hasEnded {
        defer { failure = nil }
        return (failure.map { .failure($0) } ?? .success([]), false)
      }
      // Of two readers the later waits.
      waiting?.resume([])
      waiting = reader
      return (nil, false)
    }
  }

  /// Who waits for events, and for how many at most.
  private struct Reader {
    let most: Int
    let continuation: CheckedContinuation<[BatchEvent], any Error>

    func resume(_ events: [BatchEvent]) { continuation.resume(returning: events) }
  }

  private let state = Mutex(State())
  /// Events that may wait.
  private let limit: Int
  /// Tells the thread that it may go on, or stop.
  private let wake: @Sendable () -> Void

  init(limit: Int, wake: @escaping @Sendable () -> Void) {
    self.limit = limit
    self.wake = wake
  }

  /// Whether the reader is so slow that no more should be made for it.
  var isFull: Bool { state.withLock { $0.count >= limit } }

  /// Whether the reader has caught up: half of what may wait is free again.
  var isDrained: Bool { state.withLock { $0.count <= limit / 2 } }

  var isCancelled: Bool { state.withLock { $0.isCancelled } }

  /// Adds events, which a reader that waits gets together, as far as it takes them.
  func send(_ events: [BatchEvent]) {
    guard !events.isEmpty else { return }
    let (reader, taken) = state.withLock { state -> (Reader?, [BatchEvent]) in
      guard !state.isCancelled, !state.hasEnded else { return (nil, []) }
      state.events += events
      guard let reader = state.takeWaiting() else { return (nil, []) }
      return (reader, state.take(reader.most))
    }
    reader?.resume(taken)
  }

  /// Ends the events, behind those that wait.
  func finish(throwing failure: (any Error)? = nil) {
    let reader = state.withLock { state in
      state.hasEnded = true
      let reader = state.takeWaiting()
      // Whoever waits is told now.
      state.failure = reader == nil ? failure : nil
      return reader
    }
    if let failure {
      reader?.continuation.resume(throwing: failure)
    } else {
      reader?.resume([])
    }
  }

  func cancel() {
    let (reader, wasOpen) = state.withLock { state in
      let wasOpen = !state.isCancelled && !state.hasEnded
      state.isCancelled = true
      state.events.removeAll()
      state.first = 0
      return (state.takeWaiting(), wasOpen)
    }
    reader?.resume([])
    if wasOpen { wake() }
  }

  /// The oldest events, at least one; none at the end.
  func next(atMost most: Int) async throws -> [BatchEvent] {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let reader = Reader(most: most, continuation: continuation)
        let (answer, hasRoom) = state.withLock { $0.read(reader, limit: limit) }
        switch answer {
        case .success(let events)?: reader.resume(events)
        case .failure(let error)?: continuation.resume(throwing: error)
        case nil: break
        }
        if hasRoom { wake() }
      }
    } onCancel: {
      cancel()
    }
  }
}
