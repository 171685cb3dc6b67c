import Foundation
import Speculate
import Testing

@Suite struct PassTimesTests {
  @Test func linesBetweenNodesAndBeyond() {
    let times = PassTimes([(4, 4), (1, 1), (2, 2), (8, 16)])
    #expect(times(1) == 1 && times(2) == 2 && times(3) == 3 && times(4) == 4)
    #expect(times(6) == 10 && times(8) == 16 && times(10) == 22)
    #expect(times(0) == 1)
    #expect(PassTimes([(4, 3)])(9) == 3)
  }

  @Test func noiseIsAveragedUntilTheCurveRises() {
    let times = PassTimes([(1, 3), (2, 1), (4, 2), (8, 5), (8, 7)])
    #expect(times.seconds == [2, 2, 2, 6])
    #expect(PassTimes([(1, 1), (2, 5), (4, 4), (8, 3)]).seconds == [1, 4, 4, 4])
  }

  @Test func curvesMoveToFreshMeasurements() {
    let old = PassTimes([(1, 1), (2, 2), (4, 4), (8, 8), (32, 32)])
    // Twice as slow at 1 and at 8: everywhere.
    #expect(
      zip(old.moved(to: [(1, 2), (8, 16)]).seconds, [2, 4, 8, 16, 64])
        .allSatisfy { abs($0 - $1) < 1e-9 })
    // Twice as fast at 1, the same from 8 on: in between by powers.
    let tilted = old.moved(to: [(1, 0.5), (8, 8)]).seconds
    #expect(
      zip(tilted, [0.5, 2 * pow(2, -2.0 / 3), 4 * pow(2, -1.0 / 3), 8, 32])
        .allSatisfy { abs($0 - $1) < 1e-9 })
    // A width that is no node, and a curve that would fall.
    #expect(abs(old.moved(to: [(3, 6)])(3) - 6) < 1e-9)
    let moved = old.moved(to: [(1, 100), (8, 8)]).seconds
    #expect(zip(moved, moved.dropFirst()).allSatisfy { $0 <= $1 })
  }

  @Test func measuredPassesMoveTheCurve() {
    var times = PassTimes([(1, 1), (8, 2), (32, 8)])
    for _ in 0..<200 { times.record(width: 5, seconds: 3) }
    #expect(abs(times(5) - 3) < 0.01)
    // What slows one width is expected to slow all.
    #expect(times(1) > 1.1 && times(32) > 8.5)
    for _ in 0..<200 {
      for (width, seconds) in [(1, 1.0), (8, 2.0), (32, 8.0)] {
        times.record(width: width, seconds: seconds)
      }
    }
    for (width, seconds) in [(1, 1.0), (8, 2.0), (32, 8.0)] {
      #expect(abs(times(width) / seconds - 1) < 0.03)
    }
  }

  @Test func aWidthFarBeyondTheLastBecomesANode() {
    var times = PassTimes([(1, 1), (4, 1)])
    times.record(width: 7, seconds: 1)
    #expect(times.widths == [1, 4])
    times.record(width: 48, seconds: 1.8)
    #expect(times.widths == [1, 4, 48] && times(48) == 1.8 && times(4) == 1)
    // Never falling, and an outlier at twice what was expected.
    times.record(width: 96, seconds: 0.1)
    #expect(times(96) >= times(48))
    times.record(width: 1000, seconds: 1e6)
    #expect(times(1000) < 100)
  }

  @Test func anOutlierCountsTwiceAtMost() {
    var outlier = PassTimes([(1, 1), (8, 2)])
    var double = outlier
    outlier.record(width: 1, seconds: 1000)
    double.record(width: 1, seconds: 2)
    #expect(outlier == double)
    let before = outlier
    outlier.record(width: 1, seconds: .infinity)
    outlier.record(width: 1, seconds: 0)
    #expect(outlier == before)
  }
}
