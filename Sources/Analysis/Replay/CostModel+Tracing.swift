package import Speculate

/// What the cost model says about rounds that were traced.
extension CostModel {
  /// Pass times as rounds show them: the median of each width.
  ///
  /// - Returns: `nil` without a round.
  package init?(rounds: some Sequence<RoundRecord>) {
    self.init(rounds) {
      $0.isEmpty ? nil : PassTimes(medians: Dictionary(grouping: $0, by: \.width))
    }
  }

  /// Pass times as rounds show them, what disturbs a run included: the medians of the widths, all
  /// made longer or shorter until they add up to the time that the rounds took.
  ///
  /// - Returns: `nil` without a round.
  package init?(fitting rounds: some Sequence<RoundRecord>) {
    self.init(rounds) { PassTimes(fitting: $0) }
  }

  private init?(
    _ rounds: some Sequence<RoundRecord>, curve: ([PassTimes.Sample]) -> PassTimes?
  ) {
    var verify: [PassTimes.Sample] = []
    var draft: [PassTimes.Sample] = []
    for round in rounds {
      let rest = round.seconds.verify + round.seconds.sampling + round.seconds.other
      if rest > 0 { verify.append((round.rows, rest)) }
      if round.passDrafts > 0, round.seconds.draft > 0 {
        draft.append((round.passDrafts, round.seconds.draft))
      }
    }
    guard let passes = curve(verify) else { return nil }
    // Without a draft pass nothing asks what one costs.
    self.init(verify: passes, draft: curve(draft) ?? PassTimes([(1, 1e-9)]))
  }

  /// The rate that the model expects of rounds like these, whatever they took: their tokens over the
  /// times of their widths.
  ///
  /// - Returns: Tokens per second; `nil` without a round.
  package func expectedRate(of rounds: some Sequence<RoundRecord>) -> Double? {
    var (tokens, seconds) = (0.0, 0.0)
    for round in rounds {
      tokens += Double(round.tokens.count)
      seconds += verify(round.rows) + (round.passDrafts > 0 ? draft(round.passDrafts) : 0)
    }
    return seconds > 0 ? tokens / seconds : nil
  }
}

extension PassTimes {
  fileprivate typealias Sample = (width: Int, seconds: Double)

  /// Passes of a width that make its median worth trusting, where other widths have as many.
  private static let enough = 4

  fileprivate init(medians groups: [Int: [Sample]]) {
    self.init(groups.map { ($0.key, median($0.value.map(\.seconds))) })
  }

  fileprivate init?(fitting samples: [Sample]) {
    guard !samples.isEmpty else { return nil }
    let groups = Dictionary(grouping: samples, by: \.width)
    let trusted = groups.filter { $0.value.count >= Self.enough }
    let typical = PassTimes(medians: trusted.isEmpty ? groups : trusted)
    let scale = samples.reduce(0) { $0 + $1.seconds } / samples.reduce(0) { $0 + typical($1.width) }
    self.init(zip(typical.widths, typical.seconds).map { ($0, $1 * scale) })
  }
}
