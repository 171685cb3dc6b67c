import Analysis

/// What plain and speculative decoding of the same prompts gave, over rounds that decode all of them
/// both ways.
///
/// A round's rate is the tokens of all outputs over the seconds of decoding them, prefill excluded.
package struct DecodeFigures: Codable, Sendable, Equatable {
  package var identical: Bool
  package var outputs: Int
  package var tokens: Int
  /// Speculative over plain tokens per second.
  package var speedup: Double
  package var speedupSpread: Spread
  /// Mean acceptance length, the bonus token included.
  package var tau: Double
  /// The share of tau that became speed: the cost of a plain step over that of a round.
  package var speedupPerTau: Double
  package var longestAccepted: Int
  /// The median of the rounds' rates.
  package var plainTokensPerSecond: Double
  package var plainTokensPerSecondSpread: Spread
  /// The median of the rounds' rates.
  package var speculativeTokensPerSecond: Double
  package var speculativeTokensPerSecondSpread: Spread

  /// - Parameter comparisons: The runs of each prompt, as many for all; at least one prompt and one
  ///   round.
  package init(_ comparisons: [PromptComparison]) {
    let rounds = comparisons.map(\.rounds).min() ?? 0
    let tokens = comparisons.reduce(0) { $0 + $1.tokens }
    let rates = (0..<rounds).map { round in
      let seconds = comparisons.map { $0.seconds(round: round) }
      return (
        plain: Self.quotient(Double(tokens), seconds.reduce(0) { $0 + $1.plain }),
        speculative: Self.quotient(
          Double(comparisons.reduce(0) { $0 + $1.speculativeTokens(round: round) }),
          seconds.reduce(0) { $0 + $1.speculative })
      )
    }
    identical = comparisons.allSatisfy(\.identical)
    outputs = comparisons.count
    self.tokens = tokens
    plainTokensPerSecond = median(rates.map(\.plain))
    plainTokensPerSecondSpread = Spread(rates.map(\.plain))
    speculativeTokensPerSecond = median(rates.map(\.speculative))
    speculativeTokensPerSecondSpread = Spread(rates.map(\.speculative))
    speedup = Self.quotient(speculativeTokensPerSecond, plainTokensPerSecond)
    speedupSpread = Spread(rates.map { Self.quotient($0.speculative, $0.plain) })
    let together = ComparisonFigures(comparisons)
    tau = together.tau
    longestAccepted = together.longestAccepted
    speedupPerTau = Self.quotient(speedup, tau)
  }

  /// 0 where nothing was measured.
  private static func quotient(_ a: Double, _ b: Double) -> Double { b > 0 ? a / b : 0 }

  package static let headings = [
    "", "outputs", "plain tok/s", "spread", "speculative tok/s", "spread", "speedup", "spread",
    "tau", "speedup / tau", "longest draft",
  ]

  package func row(_ name: String) -> [String] {
    [
      name, "\(outputs)", Figures.fixed(plainTokensPerSecond, 1),
      plainTokensPerSecondSpread.text(1), Figures.fixed(speculativeTokensPerSecond, 1),
      speculativeTokensPerSecondSpread.text(1), Figures.fixed(speedup, 2), speedupSpread.text(2),
      Figures.fixed(tau, 2), Figures.fixed(speedupPerTau, 2), "\(longestAccepted)",
    ]
  }
}
