package import Speculate

/// The figures of one configuration. docs/analysis.md says what each one means.
package struct ConfigurationReport: Encodable, Sendable {
  /// A figure and its confidence interval, which needs at least two prompts.
  package struct Estimate: Encodable, Sendable {
    package var value: Double
    package var interval: Interval?

    package init(value: Double, interval: Interval?) {
      self.value = value
      self.interval = interval
    }
  }

  /// One place of the block, 1 for the draft after the anchor.
  package struct Place: Encodable, Sendable {
    package var place: Int
    package var judged: Int
    package var reached: Int
    package var accepted: Int
    /// Accepted of judged.
    package var acceptanceRate: Double
    /// Accepted of reached.
    package var conditionalRate: Double
    package var conditionalInterval: Interval?
    package var survival: Double
    package var survivalInterval: Interval?
  }

  /// What drafts of one origin brought. Where sources agree on a draft, it is the first one's.
  package struct Source: Encodable, Sendable {
    package var source: DraftOrigin
    /// Rounds that verified a draft of it.
    package var rounds = 0
    /// Drafts that the target was asked about: those whose predecessors were accepted.
    package var asked = 0
    package var verified = 0
    package var accepted = 0
    /// Accepted of asked.
    package var conditionalRate = 0.0
    /// Accepted drafts of all tokens.
    package var shareOfTokens = 0.0
  }

  /// Microseconds a token.
  package struct Times: Encodable, Sendable {
    package var draft: Double
    package var verify: Double
    package var sample: Double
    package var other: Double

    /// All of it.
    package var total: Double { draft + verify + sample + other }
  }

  /// A point of the expected speed-up by draft length.
  package struct Expectation: Encodable, Sendable {
    package var drafts: Int
    package var speedup: Double
  }

  /// The figures of outputs that do not end in a loop.
  package struct WithoutLoops: Encodable, Sendable {
    package var prompts: Int
    package var tau: Double
    package var speedup: Double?
  }

  package var name: String
  package var settings: TraceConfiguration
  package var prompts: Int
  package var generations: Int
  package var tokens: Int
  package var rounds: Int
  package var tau: Estimate
  package var blockEfficiency: Double
  package var draftAcceptanceRate: Estimate
  package var tokensPerSecond: Estimate
  package var speedup: Estimate?
  package var speedupPValue: Double?
  /// What the pass times make of the rounds as they were.
  package var expectedSpeedup: Double?
  /// Whether the pass times were measured before the run, instead of taken from its rounds.
  package var costIsMeasured: Bool
  /// Whether every output was that of plain decoding; nil where that is not in the trace.
  package var identical: Bool?
  package var loopShare: Double
  package var withoutLoops: WithoutLoops?
  /// Drafts that a round with drafts verified, on average.
  package var meanVerified: Double
  package var acceptanceHistogram: [Int]
  package var wholeBlocks: [Int]
  package var places: [Place]
  package var reliability: [Reliability.Bin]
  package var expectedCalibrationError: Double?
  package var microsecondsPerToken: Times
  package var expectations: [Expectation]
  package var sources: [Source]
  package var rejections: RejectionCounts

  /// Whether it drafts at all.
  package var drafts: Bool { !acceptanceHistogram.isEmpty }
  /// The name of the plain configuration it is measured against.
  package var baseline: String? { settings.baseline }
}

extension ConfigurationReport {
  /// Drafts of the longest block that a speed-up is expected of where nothing limits them.
  private static let longestCurve = 15

  /// Computes the figures.
  ///
  /// - Parameters:
  ///   - settings: what was run; its name is unique in the report.
  ///   - analysis: its prompts.
  ///   - baseline: plain decoding of the same prompts.
  init(
    _ settings: TraceConfiguration, _ analysis: AcceptanceAnalysis, baseline: AcceptanceAnalysis?
  ) {
    let counts = analysis.counts
    let statistics = counts.statistics
    let rounds = analysis.prompts.flatMap(\.generations).flatMap(\.rounds)
    name = settings.name
    self.settings = settings
    prompts = analysis.prompts.count
    generations = analysis.prompts.reduce(0) { $0 + $1.generations.count }
    tokens = statistics.emittedTokens
    self.rounds = statistics.rounds
    tau = Estimate(value: statistics.tau, interval: analysis.tauInterval)
    blockEfficiency = counts.blockEfficiency
    draftAcceptanceRate = Estimate(
      value: statistics.acceptanceRate, interval: analysis.acceptanceRateInterval)
    tokensPerSecond = Estimate(
      value: analysis.tokensPerSecond, interval: analysis.tokensPerSecondInterval)
    if let baseline {
      let comparison = analysis.speed(against: baseline)
      speedup = Estimate(value: comparison.ratio, interval: comparison.interval)
      speedupPValue = comparison.pValue
      identical = analysis.hasOutputs(of: baseline)
    }
    loopShare = analysis.loopShare
    let straight = analysis.filtered { !$0.endsInLoop }
    if loopShare > 0, !straight.prompts.isEmpty {
      withoutLoops = WithoutLoops(
        prompts: straight.prompts.count, tau: straight.counts.statistics.tau,
        speedup: baseline.map { straight.speed(against: $0).ratio })
    }
    meanVerified = GenerationStatistics.ratio(statistics.verifiedTokens, counts.draftRounds)
    acceptanceHistogram = statistics.acceptanceHistogram
    wholeBlocks = counts.wholeBlocks
    let survival = counts.survival
    places = zip(counts.reachedByPlace.indices, analysis.placeIntervals).map { place, intervals in
      Place(
        place: place + 1, judged: statistics.verifiedByPlace[place],
        reached: counts.reachedByPlace[place], accepted: statistics.acceptedByPlace[place],
        acceptanceRate: statistics.acceptanceRateByPlace[place],
        conditionalRate: counts.conditionalRateByPlace[place],
        conditionalInterval: intervals.conditional, survival: survival[place],
        survivalInterval: intervals.survival)
    }
    reliability = analysis.reliability.bins
    expectedCalibrationError = analysis.reliability.count > 0 ? analysis.reliability.error : nil
    let perToken = tokens > 0 ? 1e6 / Double(tokens) : 0
    microsecondsPerToken = Times(
      draft: analysis.seconds.draft * perToken, verify: analysis.seconds.verify * perToken,
      sample: analysis.seconds.sampling * perToken, other: analysis.seconds.other * perToken)
    rejections = RejectionCounts(rounds)
    sources = Source.all(analysis)
    costIsMeasured = settings.cost != nil
    expectations = []
    guard !survival.isEmpty else { return }
    let plain = baseline?.prompts.flatMap(\.generations).flatMap(\.rounds) ?? []
    guard let cost = settings.cost ?? CostModel(rounds: plain + rounds) else { return }
    expectedSpeedup = cost.expectedRate(of: rounds).map { $0 * cost.verify(1) }
    // A drafter drafts whenever it is asked to; earlier text holds a match only now and then, and the
    // rounds between are plain.
    let drafting =
      settings.maximumDrafts == nil ? Double(counts.draftRounds) / Double(max(1, self.rounds)) : 1
    // Places behind a drafter's block are those of earlier text, which no length brings about.
    expectations = survival.indices.prefix(settings.maximumDrafts ?? Self.longestCurve).map {
      place in
      let tokens = drafting * survival[...place].reduce(1, +) + 1 - drafting
      let draftedRound = cost.draft(place + 1) + cost.verify(place + 2)
      let seconds = drafting * draftedRound + (1 - drafting) * cost.verify(1)
      return Expectation(drafts: place + 1, speedup: tokens / seconds * cost.verify(1))
    }
  }
}

extension ConfigurationReport.Source {
  fileprivate static func all(_ analysis: AcceptanceAnalysis) -> [Self] {
    var sources: [DraftOrigin: Self] = [:]
    func update(_ origin: DraftOrigin?, _ change: (inout Self) -> Void) {
      guard let origin else { return }
      change(&sources[origin, default: Self(source: origin)])
    }
    for generation in analysis.prompts.lazy.flatMap(\.generations) {
      for (index, round) in generation.rounds.enumerated() {
        let origins = round.drafts.indices.map(round.origin)
        for origin in origins { update(origin) { $0.verified += 1 } }
        for origin in Set(origins) { update(origin) { $0.rounds += 1 } }
        for (draft, isAccepted) in generation.asked(index) {
          update(origins[draft]) {
            $0.asked += 1
            $0.accepted += isAccepted ? 1 : 0
          }
        }
      }
    }
    return DraftOrigin.allCases.compactMap { origin in
      sources[origin].map {
        var source = $0
        source.conditionalRate = GenerationStatistics.ratio(source.accepted, source.asked)
        source.shareOfTokens = GenerationStatistics.ratio(
          source.accepted, analysis.counts.statistics.emittedTokens)
        return source
      }
    }
  }
}
