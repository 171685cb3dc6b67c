import Analysis
package import Files
package import Speculate

/// Plain and speculative runs of one prompt.
package struct PromptComparison: Sendable {
  private var plain: [RunOutcome] = []
  private var speculative: [RunOutcome] = []

  package init() {}

  package mutating func add(plain: RunOutcome, speculative: RunOutcome) {
    self.plain.append(plain)
    self.speculative.append(speculative)
  }

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

  /// What the first runs of both kinds wrote.
  package var outputs: (plain: [Token], speculative: [Token])? {
    guard let plain = plain.first, let speculative = speculative.first else { return nil }
    return (plain.ids, speculative.ids)
  }

  package var endsInLoop: Bool { plain.first.map { LoopDetector().endsInLoop($0.ids) } ?? false }

  /// Tokens that a run emits.
  package var tokens: Int { plain.first?.ids.count ?? 0 }

  /// Runs of each kind.
  package var rounds: Int { plain.count }

  package func seconds(round: Int) -> (plain: Double, speculative: Double) {
    (plain[round].statistics.decodeSeconds, speculative[round].statistics.decodeSeconds)
  }

  package var plainSeconds: Double { median(plain.map(\.statistics.decodeSeconds)) }

  package var speculativeSeconds: Double {
    median(speculative.map(\.statistics.decodeSeconds))
  }

  package var speculativeStatistics: GenerationStatistics {
    speculative.reduce(into: GenerationStatistics()) { $0 += $1.statistics }
  }
}

package struct RunOutcome: Sendable, Equatable {
  package var ids: [Token]
  package var statistics: GenerationStatistics

  package init(ids: [Token], statistics: GenerationStatistics) {
    self.ids = ids
    self.statistics = statistics
  }
}
