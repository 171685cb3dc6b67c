import Foundation

/// Where threads leave requests for the one that decodes, and wake it.
final class BatchMailbox: @unchecked Sendable {
  // Unchecked: everything is only touched by the holder of `condition`.

  enum Phase { case open, draining, stopping, ended }

  private let condition = NSCondition()
  private var phase = Phase.open
  private var arrived: [BatchSequence] = []
  /// Requests that were taken and haven't ended.
  private var present = 0
  private let limit: Int
  private let queueLimit: Int
  private var isWoken = false
  private var watchers: [CheckedContinuation<Void, Never>] = []

  init(_ settings: BatchSettings) {
    limit = settings.maximumSequences + settings.queueLimit
    queueLimit = settings.queueLimit
  }

  private func locked<T>(_ body: () throws -> T) rethrows -> T {
    condition.lock()
    defer { condition.unlock() }
    return try body()
  }

  /// Whether requests are taken.
  var isOpen: Bool { locked { phase == .open } }

  func submit(_ sequence: BatchSequence) throws(SubmissionError) {
    let refusal: SubmissionError? = locked {
      guard phase == .open else { return .draining }
      guard present < limit else { return .queueFull(limit: queueLimit) }
      present += 1
      arrived.append(sequence)
      isWoken = true
      condition.signal()
      return nil
    }
    if let refusal { throw refusal }
  }

  func wake() {
    locked {
      isWoken = true
      condition.signal()
    }
  }

  /// Goes on to a later phase.
  func turn(to next: Phase) {
    locked {
      switch (phase, next) {
      case (.open, _), (.draining, .stopping): phase = next
      default: break
      }
      isWoken = true
      condition.signal()
    }
  }

  /// Takes what arrived.
  ///
  /// - Parameters:
  ///   - ended: requests that ended since the last time.
  ///   - waits: whether there is nothing to do until something happens.
  func collect(ended: Int, waits: Bool) -> (arrived: [BatchSequence], phase: Phase) {
    locked {
      present -= ended
      while waits, !isWoken, arrived.isEmpty { condition.wait() }
      isWoken = false
      defer { arrived.removeAll() }
      return (arrived, phase)
    }
  }

  /// Notes that the thread has ended.
  func end() {
    let watchers = locked {
      phase = .ended
      defer { self.watchers.removeAll() }
      return self.watchers
    }
    for watcher in watchers { watcher.resume() }
  }

  /// Returns when the thread has ended.
  func waitForEnd() async {
    await withCheckedContinuation { continuation in
      let hasEnded = locked {
        if phase != .ended { watchers.append(continuation) }
        return phase == .ended
      }
      if hasEnded { continuation.resume() }
    }
  }
}
