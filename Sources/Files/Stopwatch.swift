import Glibc

/// A clock that only runs forward, in laps: the parts of a round add up to the round.
package struct Stopwatch: Sendable {
  private var start = Self.now

  package init() {}

  package static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Seconds since the last lap, or since the start.
  package var elapsed: Double { Self.now - start }

  /// Seconds since the last lap, or since the start; the next lap begins.
  package mutating func lap() -> Double {
    let now = Self.now
    defer { start = now }
    return now - start
  }
}
