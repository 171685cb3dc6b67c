package import Speculate

/// What the prompts of one configuration say about it, with confidence intervals.
package struct AcceptanceAnalysis: Sendable, Equatable {
  package let prompts: [PromptRuns]
  /// What happened to the drafts, over all of them.
  package let counts: AcceptanceCounts
  /// What confidences were worth.
  package let reliability: Reliability
  /// Where the time went, over all rounds.
  package let seconds: RoundRecord.Seconds
  private let bootstrap: Bootstrap

  package init(_ prompts: [PromptRuns], bootstrap: Bootstrap = Bootstrap()) {
    self.prompts = prompts
    self.bootstrap = bootstrap
    counts = prompts.reduce(into: AcceptanceCounts()) { $0 += $1.counts }
    var reliability = Reliability()
    var seconds = RoundRecord.Seconds(verify: 0, sampling: 0, other: 0)
    for generation in prompts.lazy.flatMap(\.generations) {
      reliability.add(generation)
      for round in generation.rounds {
        seconds.draft += round.seconds.draft
        seconds.verify += round.seconds.verify
        seconds.sampling += round.seconds.sampling
        seconds.other += round.seconds.other
      }
    }
    self.reliability = reliability
    self.seconds = seconds
  }

  /// Tokens per second over all prompts, each with its median time.
  package var tokensPerSecond: Double {
    let seconds = prompts.reduce(0) { $0 + $1.seconds }
    return seconds > 0 ? prompts.reduce(0) { $0 + $1.tokens } / seconds : 0
  }

  package var loopShare: Double {
    GenerationStatistics.ratio(prompts.count { $0.endsInLoop }, prompts.count)
  }

  package var tauInterval: Interval? { bootstrap.interval(ofRatio: prompts.map(\.tokensAndRounds)) }

  package var acceptanceRateInterval: Interval? {
    bootstrap.interval(
      ofRatio: prompts.map {
        let counts = $0.counts.statistics
        return (Double(counts.acceptedTokens), Double(counts.verifiedTokens))
      })
  }

  package var tokensPerSecondInterval: Interval? {
    bootstrap.interval(ofRatio: prompts.map { ($0.tokens, $0.seconds) })
  }

  /// The intervals of the conditional acceptance rate and of survival at each place.
  package var placeIntervals: [(conditional: Interval?, survival: Interval?)] {
    let places = counts.reachedByPlace.count
    let intervals = bootstrap.intervals(units: prompts.count) { draw in
      var accepted = [Int](repeating: 0, count: places)
      var reached = accepted
      for index in draw {
        let counts = prompts[index].counts
        for place in counts.reachedByPlace.indices {
          reached[place] += counts.reachedByPlace[place]
          accepted[place] += counts.statistics.acceptedByPlace[place]
        }
      }
      var product: Double? = 1
      var values: [Double?] = []
      for place in 0..<places {
        // A place that no drawn prompt reached has no rate in this sample.
        let rate = reached[place] > 0 ? Double(accepted[place]) / Double(reached[place]) : nil
        product = product.flatMap { product in
          product == 0 ? 0 : rate.map { product * $0 }
        }
        values.append(rate)
        values.append(product)
      }
      return values
    }
    return (0..<places).map {
      intervals.isEmpty ? (nil, nil) : (intervals[2 * $0], intervals[2 * $0 + 1])
    }
  }

  /// How this compares with another configuration on the prompts that both ran, by tokens per
  /// second: the ratio is above 1 where this one is faster.
  package func speed(against other: AcceptanceAnalysis) -> PairedComparison {
    compare(with: other) { ($0.tokens, $0.seconds) }
  }

  /// How this compares with another configuration on the prompts that both ran, by τ.
  package func tau(against other: AcceptanceAnalysis) -> PairedComparison {
    compare(with: other) { $0.tokensAndRounds }
  }

  private func compare(
    with other: AcceptanceAnalysis, _ terms: (PromptRuns) -> (amount: Double, cost: Double)
  ) -> PairedComparison {
    let others = Dictionary(
      other.prompts.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    let pairs = prompts.compactMap { prompt in others[prompt.key].map { ($0, prompt) } }
    return PairedComparison(
      pairs.map { terms($0.0) }, pairs.map { terms($0.1) }, bootstrap: bootstrap)
  }

  package func filtered(_ isIncluded: (PromptRuns) -> Bool) -> AcceptanceAnalysis {
    AcceptanceAnalysis(prompts.filter(isIncluded), bootstrap: bootstrap)
  }
}
