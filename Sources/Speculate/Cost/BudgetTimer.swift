import Files

/// Times short pieces of work within a budget of seconds.
struct BudgetTimer {
  private let budget: Double
  private var spent = 0.0

  private static let runs = 9
  /// The share of the budget that one piece may use before its last run.
  private static let share = 1.0 / 16

  init(budget: Double) { self.budget = budget }

  var isSpent: Bool { spent >= budget }

  /// Runs the work a few times, once at least, and returns the median of the seconds of one run.
  mutating func measure(_ body: () -> Void) -> Double {
    var times: [Double] = []
    var used = 0.0
    repeat {
      var watch = Stopwatch()
      body()
      let seconds = max(watch.lap(), 1e-9)
      times.append(seconds)
      used += seconds
    } while times.count < Self.runs && used < budget * Self.share
    spent += used
    times.sort()
    return times[(times.count - 1) / 2]
  }
}
