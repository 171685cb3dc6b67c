internal import CKernels
import Files

/// A fixed team of threads that runs one small parallel region at a time.
///
/// A region costs about half a microsecond, so a decoder layer may open several. Regions must not
/// nest and only one thread may open them: a generation owns its workers.
package final class Workers: @unchecked Sendable {
  // Unchecked: the team synchronizes its threads itself, and `run` is documented as not reentrant.
  private let team: OpaquePointer?

  /// The number of threads, the caller's included.
  package let count: Int

  /// The number of physical cores this process may use.
  package static var defaultCount: Int { Int(ck_physical_cores()) }

  /// Starts `count - 1` threads.
  ///
  /// If the system grants fewer, the team is smaller, which a line on standard error says: slower, with
  /// the same results.
  ///
  /// - Parameter refuses: Whether the caller refuses a smaller team, and so says it himself.
  package init(count: Int, refuses: Bool = false) {
    precondition(count > 0, "a team needs at least one worker")
    team = count == 1 ? nil : ck_team_create(Int32(count), 20_000)
    self.count = team.map { Int(ck_team_workers($0)) } ?? 1
    if self.count < count && !refuses {
      StandardError.write(
        "note: the system grants \(self.count) of \(count) threads; allow more, or ask for fewer")
    }
  }

  deinit {
    if let team { ck_team_destroy(team) }
  }

  /// Calls `body` once on every worker and returns when all calls have returned.
  ///
  /// - Parameter body: Receives the worker's index. `@Sendable`, so that a closure written in
  ///   `@MainActor` code isn't isolated: an isolated one traps on the first worker thread.
  package func run(_ body: @Sendable (_ worker: Int) -> Void) {
    guard let team else { return body(0) }
    runTeam(team, body)
  }
}

/// `ck_team_run`, which takes the closure as Swift passes it: two words, and nothing on the heap.
@_silgen_name("ck_team_run")
private func runTeam(_ team: OpaquePointer, _ body: @Sendable (_ worker: Int) -> Void)

extension Range<Int> {
  /// The part of this range that falls to one of `count` workers; the parts are nearly equal.
  package func share(of worker: Int, among count: Int) -> Range<Int> {
    let n = self.count
    return lowerBound + n * worker / count..<lowerBound + n * (worker + 1) / count
  }
}
