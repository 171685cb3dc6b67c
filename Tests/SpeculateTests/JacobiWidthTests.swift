import Speculate
import TestSupport
import Testing

/// What the choice of widths reaches on synthetic machines and models.
@Suite struct JacobiWidthTests {
  /// Seconds of a pass, and mean tokens of a pass, by rows.
  struct World: Sendable {
    var time: @Sendable (Int) -> Double
    var tokens: @Sendable (Int) -> Double

    func speed(_ rows: Int) -> Double { tokens(rows) / time(rows) }
  }

  static let worlds = [
    // Guesses never hold.
    World(time: { 0.9 + 0.1 * Double($0) }, tokens: { _ in 1 }),
    // They hold, and rows are cheap up to 8.
    World(time: { max(1, Double($0) / 8) }, tokens: { 1 + 2 * (1 - 8 / (7 + Double($0))) }),
    // They hold, but every row costs.
    World(time: { 0.2 + 0.8 * Double($0) }, tokens: { 1 + 0.1 * Double($0 - 1) }),
    // Wide passes cost next to nothing.
    World(time: { 1 + 0.01 * Double($0 - 1) }, tokens: { 1 + 0.05 * Double($0 - 1) }),
  ]

  @Test(arguments: 0..<4) func comesNearTheBestWidth(_ number: Int) {
    let world = Self.worlds[number]
    let times = PassTimes([1, 2, 4, 8, 16, 32, 64].map { ($0, world.time($0)) })
    var width = JacobiWidth(times, maximumRows: 64)
    var random = RandomNumbers(seed: 4)
    var (tokens, seconds) = (0.0, 0.0)
    for round in 0..<20_000 {
      let rows = width.rows()
      let mean = world.tokens(rows)
      let emitted =
        Int(mean) + (Double.random(in: 0..<1, using: &random) < mean - mean.rounded(.down) ? 1 : 0)
      width.record(rows: rows, emitted: emitted, seconds: world.time(rows))
      if round >= 2_000 {
        tokens += Double(emitted)
        seconds += world.time(rows)
      }
    }
    let best = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].map(world.speed).max() ?? 0
    #expect(tokens / seconds > 0.9 * best)
  }

  @Test func neverMuchSlowerThanPlainSteps() {
    let world = Self.worlds[0]
    let times = PassTimes([1, 2, 4, 8, 16, 32, 64].map { ($0, world.time($0)) })
    var width = JacobiWidth(times, maximumRows: 64)
    var seconds = 0.0
    for _ in 0..<1000 {
      let rows = width.rows()
      width.record(rows: rows, emitted: 1, seconds: world.time(rows))
      seconds += world.time(rows)
    }
    #expect(1000 / seconds > 0.96)
  }

  @Test func rowsAreLimited() {
    for most in [1, 2, 5, 64, 100] {
      var width = JacobiWidth(PassTimes([(1, 1), (64, 1)]), maximumRows: most)
      for _ in 0..<100 {
        let rows = width.rows()
        #expect((1...most).contains(rows))
        width.record(rows: rows, emitted: rows, seconds: 1)
      }
    }
  }
}
