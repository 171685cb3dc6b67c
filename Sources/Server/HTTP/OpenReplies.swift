import Synchronization

/// Counts replies that are being made or written.
///
/// Whoever ends the server cancels what connections do, and an answer that waits for its reader would lose its
/// end.
final class OpenReplies: Sendable {
  private let count = Atomic(0)

  func whileOpen<Value>(_ body: () async throws -> Value) async rethrows -> Value {
    count.add(1, ordering: .relaxed)
    defer { count.subtract(1, ordering: .relaxed) }
    return try await body()
  }

  /// Waits until there are none for a while, as one may be made but not yet written.
  ///
  /// - Parameter seconds: how long at most.
  func settle(within seconds: Double) async {
    let end = ContinuousClock.now + .seconds(seconds)
    var quiet = 0
    while quiet < Self.looks, ContinuousClock.now < end {
      quiet = count.load(ordering: .relaxed) == 0 ? quiet + 1 : 0
      try? await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Looks in a row, 10 ms apart, that must find none.
  private static let looks = 5
}
