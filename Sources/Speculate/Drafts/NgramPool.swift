package import Files

/// A few token runs that verification threw away, the latest last (docs/algorithms.md 7).
///
/// A run is found by any of its tokens: what follows that token in the run may follow it in the
/// text.
package struct NgramPool {
  let capacity: Int
  private var runs: [[Token]] = []

  /// Tokens of one run that are kept.
  private static let longest = 64

  package init(capacity: Int) { self.capacity = capacity }

  /// Adds a run, in place of the oldest if the pool is full. Runs of one token say nothing.
  package mutating func add(_ run: some Collection<Token>) {
    guard capacity > 0, run.count > 1 else { return }
    if let same = runs.firstIndex(where: { $0.elementsEqual(run.prefix(Self.longest)) }) {
      runs.remove(at: same)
    } else if runs.count == capacity {
      runs.removeFirst()
    }
    runs.append(Array(run.prefix(Self.longest)))
  }

  /// What followed `token` in the runs, the latest first, each with another beginning.
  ///
  /// - Parameters:
  ///   - previous: the token before `token`; runs that agree with it too come first.
  ///   - count: the most candidates.
  ///   - length: the most tokens of each.
  package func candidates(
    after token: Token, previous: Token?, count: Int, length: Int
  ) -> [[Token]] {
    guard count > 0, length > 0 else { return [] }
    var found: [[Token]] = []
    for wantsPrevious in [true, false] {
      for run in runs.reversed() {
        for index in run.indices.dropLast().reversed() where run[index] == token {
          let agrees = index > 0 && run[index - 1] == previous
          guard agrees == wantsPrevious else { continue }
          guard !found.contains(where: { $0[0] == run[index + 1] }) else { continue }
          found.append(Array(run[(index + 1)...].prefix(length)))
          if found.count == count { return found }
        }
      }
    }
    return found
  }
}
