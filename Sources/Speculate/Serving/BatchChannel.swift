import Synchronization

/// Events on the way from the thread that decodes to a reader.
final class BatchChannel: Sendable {
  private struct State {
    var events: [BatchEvent] = []
    /// How many of them were read.
    var first = 0
    var waiting: CheckedContinuation<BatchEvent?, any Error>?
    var hasEnded = false
    var failure: (any Error)?
    var isCancelled = false

    var count: Int { events.count - first }

    mutating func takeWaiting() -> CheckedContinuation<BatchEvent?, any Error>? {
      defer { waiting = nil }
      return waiting
    }

    /// What a reader gets at once, or `nil` if it waits, and whether there is room again.
    mutating func read(
      _ reader: CheckedContinuation<BatchEvent?, any Error>, limit: Int
    ) -> (Result<BatchEvent?, any Error>?, hasRoom: Bool) {
      if isCancelled { return (.success(nil), false) }
      if first < events.count {
        let event = events[first]
        first += 1
        let hasRoom = count == limit - 1 || count == limit / 2
        if first == events.count {
          events.removeAll(keepingCapacity: true)
          first = 0
        }
        return (.success(event), hasRoom)
      }
      if hasEnded {
        defer { failure = nil }
        return (failure.map { .failure($0) } ?? .success(nil), false)
      }
      // Of two readers the later waits.
      waiting?.resume(returning: nil)
      waiting = reader
      return (nil, false)
    }
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

  func send(_ event: BatchEvent) {
    let reader = state.withLock { state -> CheckedContinuation<BatchEvent?, any Error>? in
      guard !state.isCancelled, !state.hasEnded else { return nil }
      if let waiting = state.waiting {
        state.waiting = nil
        return waiting
      }
      state.events.append(event)
      return nil
    }
    reader?.resume(returning: event)
  }

  /// Ends the events, behind those that wait.
  func finish(throwing failure: (any Error)? = nil) {
    let reader = state.withLock { state in
      state.hasEnded = true
      state.failure = failure
      return state.takeWaiting()
    }
    if let failure {
      reader?.resume(throwing: failure)
    } else {
      reader?.resume(returning: nil)
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
    reader?.resume(returning: nil)
    if wasOpen { wake() }
  }

  func next() async throws -> BatchEvent? {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let (answer, hasRoom) = state.withLock { $0.read(continuation, limit: limit) }
        switch answer {
        case .success(let event)?: continuation.resume(returning: event)
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
