import Glibc

/// A clock that only runs forward, in laps: the parts of a round add up to the round.
public struct Stopwatch: Sendable {
  private var start = Self.now

  /// Starts the clock.
  public init() {}

  /// Seconds since some moment in the past.
  public static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Seconds since the last lap, or since the start.
  public var elapsed: Double { Self.now - start }

  /// Seconds since the last lap, or since the start; the next lap begins.
  public mutating func lap() -> Double {
    let now = Self.now
    defer { start = now }
    return now - start
  }
}
