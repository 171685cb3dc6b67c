import Analysis
package import Speculate

/// Plain and speculative runs of one prompt.
package struct PromptComparison: Sendable {
  private var plain: [RunOutcome] = []
  private var speculative: [RunOutcome] = []

  package init() {}

  /// Adds one plain run and one speculative run that alternated.
  package mutating func add(plain: RunOutcome, speculative: RunOutcome) {
    self.plain.append(plain)
    self.speculative.append(speculative)
  }

  /// Whether every run gave the same ids.
  package var identical: Bool { divergence == nil }

  /// The first place where two runs differ.
  package var divergence: Int? {
    guard let first = plain.first?.ids else { return nil }
    return (plain + speculative).compactMap { run in
      run.ids == first
        ? nil
        : zip(run.ids, first).enumerated().first { $1.0 != $1.1 }?.offset
          ?? min(run.ids.count, first.count)
    }.min()
  }

  /// Whether the plain output ends in a repeating loop.
  package var endsInLoop: Bool { plain.first.map { LoopDetector().endsInLoop($0.ids) } ?? false }

  /// Tokens that a run emits.
  package var tokens: Int { plain.first?.ids.count ?? 0 }

  /// Runs of each kind.
  package var rounds: Int { plain.count }

  /// Seconds of decoding the runs of one round.
  package func seconds(round: Int) -> (plain: Double, speculative: Double) {
    (plain[round].statistics.decodeSeconds, speculative[round].statistics.decodeSeconds)
  }

  /// Median seconds of decoding a plain run.
  package var plainSeconds: Double { median(plain.map(\.statistics.decodeSeconds)) }

  /// Median seconds of decoding a speculative run.
  package var speculativeSeconds: Double {
    median(speculative.map(\.statistics.decodeSeconds))
  }

  /// The counts of all speculative runs.
  package var speculativeStatistics: GenerationStatistics {
    speculative.reduce(into: GenerationStatistics()) { $0 += $1.statistics }
  }
}
