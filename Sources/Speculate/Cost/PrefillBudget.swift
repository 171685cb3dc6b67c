/// How many rows of prompts share a pass with rows that decode, so that a long prompt holds nobody up.
package struct PrefillBudget: Sendable {
  /// `T_v(n)`, as it was measured.
  private let times: PassTimes
  /// How many times as long a pass may take.
  private let stretch: Double

  /// Rows in any case, so that prompts get on: few of them cost much more than one.
  private static let least = 16

  package init(times: PassTimes, stretch: Double) {
    self.times = times
    self.stretch = stretch
  }

  /// The most rows of prompts in a pass.
  ///
  /// - Parameters:
  ///   - decoding: rows that decode; without any, prompts take the whole pass.
  ///   - spare: rows that are left.
  package func rows(beside decoding: Int, spare: Int) -> Int {
    guard decoding > 0 else { return spare }
    let bound = stretch * times(decoding)
    var rows = min(Self.least, spare)
    while rows < spare, times(decoding + rows + 1) <= bound { rows += 1 }
    return rows
  }
}
