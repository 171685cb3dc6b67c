package import Speculate

extension CostModel {
  /// Pass times as rounds show them, what disturbs a run included: the medians of the widths, all
  /// made longer or shorter until they add up to the time that the rounds took.
  ///
  /// - Returns: `nil` without a round.
  package init?(fitting rounds: some Sequence<RoundRecord>) {
    var verify: [(width: Int, seconds: Double)] = []
    var draft: [(width: Int, seconds: Double)] = []
    for round in rounds {
      let rest = round.seconds.verify + round.seconds.sampling + round.seconds.other
      if rest > 0 { verify.append((round.rows, rest)) }
      if round.passDrafts > 0, round.seconds.draft > 0 {
        draft.append((round.passDrafts, round.seconds.draft))
      }
    }
    guard let passes = PassTimes(fitting: verify) else { return nil }
    // Without a draft pass nothing asks what one costs.
    self.init(verify: passes, draft: PassTimes(fitting: draft) ?? PassTimes([(1, 1e-9)]))
  }
}

extension PassTimes {
  /// Passes of a width that make its median worth trusting, where other widths have as many.
  private static let enough = 4

  fileprivate init?(fitting samples: [(width: Int, seconds: Double)]) {
    guard !samples.isEmpty else { return nil }
    let groups = Dictionary(grouping: samples, by: \.width)
    let trusted = groups.filter { $0.value.count >= Self.enough }
    let medians = (trusted.isEmpty ? groups : trusted).map {
      (width: $0.key, seconds: median($0.value.map(\.seconds)))
    }
    let typical = PassTimes(medians)
    let scale =
      samples.reduce(0) { $0 + $1.seconds } / samples.reduce(0) { $0 + typical($1.width) }
    self.init(zip(typical.widths, typical.seconds).map { ($0, $1 * scale) })
  }
}
