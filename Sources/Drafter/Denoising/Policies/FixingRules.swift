/// Which masks a pass fixes: the rules that published policies are made of.
package enum FixingRules {
  /// The places that are sure enough; where none is, the surest. Of equally sure ones the first.
  package static func atLeast(
    _ threshold: Float, of places: [Int], certainty: (Int) -> Float
  ) -> [Int] {
    let sure = places.filter { certainty($0) >= threshold }
    return sure.isEmpty ? surest(1, of: places, certainty: certainty) : sure
  }

  /// The surest places.
  package static func surest(
    _ count: Int, of places: [Int], certainty: (Int) -> Float
  ) -> [Int] {
    Array(
      places.sorted { (certainty($0), -$0) > (certainty($1), -$1) }.prefix(max(0, count)))
  }

  /// As many of the surest places as are sure enough for their number: the k-th wants `1 − factor / (k + 1)`,
  /// and the surest is always among them (Fast-dLLM v1, arXiv 2505.22618).
  package static func factor(
    _ factor: Float, of places: [Int], certainty: (Int) -> Float
  ) -> [Int] {
    let order = surest(places.count, of: places, certainty: certainty)
    let count = order.indices.prefix {
      $0 == 0 || certainty(order[$0]) >= 1 - factor / Float($0 + 2)
    }.count
    return Array(order.prefix(count))
  }

  /// The first places as far as each is sure enough.
  package static func leftRun(
    _ threshold: Float, of places: [Int], certainty: (Int) -> Float
  ) -> [Int] {
    Array(places.prefix { certainty($0) >= threshold })
  }

  /// Rows that are fixed after each of several passes, where a schedule says how much of a block is masked:
  /// `t' = s·t / (1 + (s − 1)·t)`, uniform at s = 1, few early at s < 1 (LaViDa, arXiv 2505.16839).
  package static func shifted(_ shift: Double, rows: Int, passes: Int) -> [Int] {
    guard passes > 0 else { return [] }
    var counts: [Int] = []
    var left = rows
    for pass in 1...passes {
      let time = 1 - Double(pass) / Double(passes)
      // Masks that stay, the schedule running from 1 to 0.
      let masked = shiftedTime(time, by: 1 / shift) * Double(rows)
      // One at least for each pass that is left.
      let most = left - (passes - pass)
      let count = pass == passes ? left : min(left, max(1, min(most, left - Int(masked.rounded()))))
      counts.append(count)
      left -= count
    }
    return counts
  }

  package static func shiftedTime(_ time: Double, by shift: Double) -> Double {
    shift * time / (1 + (shift - 1) * time)
  }
}

extension DenoisedBlock {
  /// Fixes what the last pass proposes for places.
  func fixing(_ places: [Int]) -> DenoisingStep {
    .pass(DenoisingPlan(fix: places.map { PlacedToken($0, proposals[$0]) }))
  }
}
