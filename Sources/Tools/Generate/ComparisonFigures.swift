import Speculate

/// The figures of a comparison, of one prompt or of several together.
///
/// A rate is the tokens of all outputs over the sum of each prompt's median decoding time, prefill
/// excluded, so that the speed-up is the quotient of the two rates.
package struct ComparisonFigures: Codable, Sendable, Equatable {
  /// Whether plain and speculative decoding gave the same ids, all of them.
  package var identical: Bool
  /// Speculative over plain tokens per second; 0 when nothing was measured.
  package var speedup: Double
  /// Mean acceptance length, the bonus token included.
  package var tau: Double
  /// The most drafts that a round accepted.
  package var longestAccepted: Int
  /// Tokens per second of plain decoding.
  package var plain: Double
  /// Tokens per second of speculative decoding.
  package var speculative: Double
  /// Outputs compared.
  package var outputs: Int
  /// Tokens of those outputs.
  package var tokens: Int
  /// Rounds by how many drafts were accepted.
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
