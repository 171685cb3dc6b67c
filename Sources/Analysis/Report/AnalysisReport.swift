import Speculate

/// Everything that is reported of one or several traces.
package struct AnalysisReport: Encodable, Sendable {
  /// The speed of one configuration on the prompts of one category.
  package struct Category: Encodable, Sendable {
    package var category: String
    package var configuration: String
    package var prompts: Int
    package var tau: Double
    package var speedup: ConfigurationReport.Estimate?
    package var tokensPerSecond: Double
  }

  /// Two configurations on the same prompts.
  package struct Comparison: Encodable, Sendable {
    package var first: String
    package var second: String
    /// Tokens per second of the second over the first's.
    package var speed: PairedComparison
    /// The p-value of the speed, corrected for the number of comparisons.
    package var correctedPValue: Double
    /// τ of the second over the first's.
    package var tau: PairedComparison

    /// Whether the difference in speed is more than chance.
    package var isReal: Bool {
      guard let interval = speed.interval else { return false }
      return correctedPValue < 0.05 && (interval.low > 1 || interval.high < 1)
    }
  }

  package var traces: [String]
  /// What they were run on.
  package var machines: [Machine]
  /// Different prompts.
  package var prompts: Int
  /// Samples behind each confidence interval, and the share that lies inside.
  package var bootstrapSamples: Int
  package var confidence: Double
  package var configurations: [ConfigurationReport]
  package var categories: [Category]
  package var comparisons: [Comparison]
  package var examples: [RejectionExample]

  /// Computes all figures.
  ///
  /// - Parameter traces: at least one, each with the name it is shown under.
  package init(
    _ traces: [(name: String, trace: Trace)], bootstrap: Bootstrap = Bootstrap()
  ) {
    self.traces = traces.map(\.name)
    machines = traces.map(\.trace.header.machine).reduce(into: []) {
      if !$0.contains($1) { $0.append($1) }
    }
    bootstrapSamples = bootstrap.samples
    confidence = bootstrap.confidence
    let runs = TracedRuns.all(traces.map(\.trace), bootstrap: bootstrap)
    let analyses = Dictionary(
      runs.map { ($0.settings.name, $0.analysis) }, uniquingKeysWith: { first, _ in first })
    func baseline(_ run: TracedRuns) -> AcceptanceAnalysis? {
      run.settings.baseline.flatMap { analyses[$0] }
    }
    prompts = Set(runs.flatMap { $0.analysis.prompts.map(\.key) }).count
    configurations = runs.map {
      ConfigurationReport($0.settings, $0.analysis, baseline: baseline($0))
    }
    let names = runs.flatMap { $0.analysis.prompts.map(\.category) }.reduce(into: [String]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    categories = names.flatMap { name in
      runs.compactMap { Category(name, $0, baseline: baseline($0)) }
    }
    comparisons = Self.compare(runs)
    examples = RejectionExample.choose(
      from: runs, texts: traces.reduce(into: [:]) { $0.merge($1.trace.texts) { first, _ in first } }
    )
  }

  /// Every pair of configurations that sample alike, the slower one first.
  private static func compare(_ runs: [TracedRuns]) -> [Comparison] {
    var made: [Comparison] = []
    for (place, one) in runs.enumerated() {
      for other in runs[(place + 1)...] where one.settings.sampling == other.settings.sampling {
        let swap = one.analysis.tokensPerSecond > other.analysis.tokensPerSecond
        let (first, second) = swap ? (other, one) : (one, other)
        let speed = second.analysis.speed(against: first.analysis)
        guard speed.prompts > 0 else { continue }
        made.append(
          Comparison(
            first: first.settings.name, second: second.settings.name, speed: speed,
            correctedPValue: speed.pValue, tau: second.analysis.tau(against: first.analysis)))
      }
    }
    for (index, value) in PairedComparison.holm(made.map(\.speed.pValue)).enumerated() {
      made[index].correctedPValue = value
    }
    return made
  }
}

extension AnalysisReport.Category {
  fileprivate init?(_ category: String, _ run: TracedRuns, baseline: AcceptanceAnalysis?) {
    let analysis = run.analysis.filtered { $0.category == category }
    guard !analysis.prompts.isEmpty else { return nil }
    self.init(
      category: category, configuration: run.settings.name, prompts: analysis.prompts.count,
      tau: analysis.counts.statistics.tau,
      speedup: baseline.map {
        let comparison = analysis.speed(against: $0)
        return .init(value: comparison.ratio, interval: comparison.interval)
      },
      tokensPerSecond: analysis.tokensPerSecond)
  }
}
