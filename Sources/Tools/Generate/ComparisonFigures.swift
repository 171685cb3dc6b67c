import Speculate

/// The figures of a comparison, of one prompt or of several together.
///
/// A rate is the tokens of all outputs over the sum of each prompt's median decoding time, prefill
/// excluded, so that the speed-up is the quotient of the two rates.
package struct ComparisonFigures: Codable, Sendable, Equatable {
  package var identical: Bool
  /// Speculative over plain tokens per second; 0 when nothing was measured.
  package var speedup: Double
  /// Mean acceptance length, the bonus token included.
  package var tau: Double
  package var longestAccepted: Int
  package var plain: Double
  package var speculative: Double
  package var outputs: Int
  package var tokens: Int
  package var acceptanceHistogram: [Int]

  package init(_ comparisons: some Sequence<PromptComparison>) {
    var statistics = GenerationStatistics()
    var (plainSeconds, speculativeSeconds) = (0.0, 0.0)
    identical = true
    (outputs, tokens) = (0, 0)
    for comparison in comparisons {
      identical = identical && comparison.identical
      outputs += 1
      tokens += comparison.tokens
      plainSeconds += comparison.plainSeconds
      speculativeSeconds += comparison.speculativeSeconds
      statistics += comparison.speculativeStatistics
    }
    plain = plainSeconds > 0 ? Double(tokens) / plainSeconds : 0
    speculative = speculativeSeconds > 0 ? Double(tokens) / speculativeSeconds : 0
    speedup = plain > 0 ? speculative / plain : 0
    tau = statistics.tau
    longestAccepted = statistics.longestAccepted
    acceptanceHistogram = statistics.acceptanceHistogram
  }

  /// `identical yes | speedup 3.12 | tau 4.50 | plain 310.0 tok/s | speculative 967.0 tok/s`
  package var line: String {
    [
      "identical \(identical ? "yes" : "no")",
      "speedup \(Figures.fixed(speedup, 2))",
      "tau \(Figures.fixed(tau, 2))",
      "plain \(Figures.fixed(plain, 1)) tok/s",
      "speculative \(Figures.fixed(speculative, 1)) tok/s",
    ].joined(separator: " | ")
  }
}
