package import Speculate

/// What the cost model says about rounds that were traced.
extension CostModel {
  /// Pass times as rounds show them: the median of each width.
  ///
  /// - Returns: `nil` without a round.
  package init?(rounds: some Sequence<RoundRecord>) {
    var verify: [Int: [Double]] = [:]
    var draft: [Int: [Double]] = [:]
    for round in rounds {
      let rest = round.seconds.verify + round.seconds.sampling + round.seconds.other
      if rest > 0 { verify[round.rows, default: []].append(rest) }
      if round.passDrafts > 0, round.seconds.draft > 0 {
        draft[round.passDrafts, default: []].append(round.seconds.draft)
      }
    }
    guard !verify.isEmpty else { return nil }
    func curve(_ times: [Int: [Double]]) -> PassTimes? {
      times.isEmpty ? nil : PassTimes(times.map { ($0, median($1)) })
    }
    guard let rows = curve(verify) else { return nil }
    // Without a draft pass nothing asks what one costs.
    self.init(verify: rows, draft: curve(draft) ?? PassTimes([(1, 1e-9)]))
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
