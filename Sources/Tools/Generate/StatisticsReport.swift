package import Speculate

/// Statistics of one or several generations as text.
package enum StatisticsReport {
  /// Lines under a title; what doesn't apply (drafts of plain decoding) is left out.
  package static func lines(_ statistics: GenerationStatistics, title: String) -> [String] {
    let s = statistics
    var lines = [
      "--- \(title)",
      "\(Figures.count(s.emittedTokens)) tokens in \(Figures.fixed(s.decodeSeconds, 2)) s: "
        + "\(Figures.fixed(s.tokensPerSecond, 1)) tok/s; prompt \(Figures.count(s.promptTokens)) "
        + "tokens in \(Figures.fixed(s.prefillSeconds, 2)) s",
    ]
    lines.append(rounds(s))
    if s.decodeSeconds > 0 { lines.append("time: \(times(s))") }
    if !s.acceptanceHistogram.isEmpty {
      lines.append("drafts accepted in a round:")
      lines += BarChart.lines(s.acceptanceHistogram, indent: "  ")
      let places = s.acceptanceRateByPlace.map { Figures.fixed(100 * $0, 0) }
      lines.append("accepted by place in the block, %: " + places.joined(separator: " "))
    }
    return lines
  }

  private static func rounds(_ s: GenerationStatistics) -> String {
    var line = "\(Figures.count(s.rounds)) rounds, tau \(Figures.fixed(s.tau, 2))"
    if s.draftedTokens > 0 {
      line +=
        "; drafts: \(Figures.count(s.draftedTokens)) made, \(Figures.count(s.verifiedTokens)) "
        + "verified, \(Figures.count(s.acceptedTokens)) accepted "
        + "(\(Figures.fixed(100 * s.acceptanceRate, 1)) %), at most \(s.longestAccepted) in a round"
      if s.suffixTokens > 0 { line += "; \(Figures.count(s.suffixTokens)) from earlier text" }
      if s.recycledTokens > 0 { line += "; \(Figures.count(s.recycledTokens)) recycled" }
      if s.scaffoldTokens > 0 {
        line += "; \(Figures.count(s.scaffoldTokens)) forced by the grammar"
      }
      if s.plainRounds > 0 { line += "; \(Figures.count(s.plainRounds)) rounds without drafts" }
    }
    return line
  }

  private static func times(_ s: GenerationStatistics) -> String {
    func share(_ name: String, _ seconds: Double) -> String {
      "\(name) \(Figures.fixed(100 * seconds / s.decodeSeconds, 1)) %"
    }
    let drafting = s.draftPasses > 0 ? [share("draft", s.draftSeconds)] : []
    return
      (drafting + [
        share("target", s.verifySeconds), share("sampling", s.samplingSeconds),
        share("other", s.otherSeconds),
      ]).joined(separator: ", ")
  }
}
