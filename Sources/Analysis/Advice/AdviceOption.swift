import Foundation

extension Advice {
  /// What one output is expected to take.
  package struct Term: Equatable {
    package var tokens: Int
    package var rounds: Int
    package var seconds: Double

    package init(tokens: Int, rounds: Int, seconds: Double) {
      self.tokens = tokens
      self.rounds = rounds
      self.seconds = seconds
    }
  }

  /// What some outputs took when they were generated for real.
  package struct Trial: Encodable, Equatable {
    package var texts: Int
    package var tokens: Int
    package var passes: Int
    package var seconds: Double

    package init(texts: Int, tokens: Int, passes: Int, seconds: Double) {
      self.texts = texts
      self.tokens = tokens
      self.passes = passes
      self.seconds = seconds
    }

    package var rate: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
  }

  /// One way of decoding and what is expected of it.
  package struct Option {
    package let name: String
    package let way: DecodingWay
    package let format: String
    package let command: String
    /// The replayed outputs; empty for what can't be replayed.
    package let terms: [Term]
    /// What a run of some of them showed.
    package var trial: Trial?
    /// Real speed over what replaying foretells.
    package var correction = 1.0
    /// Over plain decoding of the same format.
    package var speedup = 1.0
    /// Tokens per second where there is nothing to replay.
    private var rateWithoutReplay = 0.0

    package init(name: String, way: DecodingWay, format: String, terms: [Term], command: String) {
      self.name = name
      self.way = way
      self.format = format
      self.terms = terms
      self.command = command
    }

    /// Whether it is what a drafter does without options.
    package var isUsual: Bool {
      guard case .draft(let drafting) = way, drafting.drafter != nil else { return false }
      return drafting.length == nil && drafting.looksUp && !drafting.recycling
    }

    /// Expected tokens per second.
    package var rate: Double {
      terms.isEmpty ? rateWithoutReplay : correction * Self.rate(terms)
    }

    /// Over prompts; what the machine does in another minute is not in it.
    package var interval: Interval? {
      Bootstrap().interval(ofRatio: terms.map { (Double($0.tokens), $0.seconds) }).map {
        Interval(low: $0.low * correction, high: $0.high * correction)
      }
    }

    /// Mean acceptance length, the bonus token included.
    package var tau: Double {
      let tokens = terms.reduce(0) { $0 + $1.tokens }
      guard tokens > 0 else { return trial.map { Double($0.tokens) / Double($0.passes) } ?? 1 }
      return Double(tokens) / Double(terms.reduce(0) { $0 + $1.rounds })
    }

    private static func rate(_ terms: [Term]) -> Double {
      let seconds = terms.reduce(0) { $0 + $1.seconds }
      return seconds > 0 ? Double(terms.reduce(0) { $0 + $1.tokens }) / seconds : 0
    }

    /// Corrects the options of one format by their trials.
    ///
    /// Each that was tried is faster or slower by what the trial showed on the outputs it shares with
    /// the replay; the others by what the tried ones showed together.
    ///
    /// - Parameter places: the outputs that were tried: indices of ``terms``.
    package static func correct(_ options: inout [Option], places: [Int]) {
      var foretold = 0.0
      var shown = 0.0
      for index in options.indices where !options[index].terms.isEmpty {
        guard let trial = options[index].trial, trial.rate > 0 else { continue }
        let expected = rate(places.map { options[index].terms[$0] })
        options[index].correction = trial.rate / expected
        guard options[index].way != .plain else { continue }
        foretold += Double(trial.tokens) / expected
        shown += trial.seconds
      }
      let common = shown > 0 ? foretold / shown : 1
      for index in options.indices where options[index].trial == nil {
        options[index].correction = common
      }
      guard let plain = options.first(where: { $0.way == .plain }), let own = plain.trial else {
        return
      }
      for index in options.indices {
        if options[index].terms.isEmpty, let trial = options[index].trial {
          options[index].rateWithoutReplay = plain.rate * trial.rate / own.rate
        }
        options[index].speedup = options[index].rate / plain.rate
      }
    }
  }
}

extension Advice.Option: Encodable {
  private enum CodingKeys: CodingKey {
    case name, format, decoder, drafter, drafts, suffix, tau, tokensPerSecond, interval, speedup
    case correction, trial, command
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(format, forKey: .format)
    switch way {
    case .plain: try container.encode("plain", forKey: .decoder)
    case .jacobi: try container.encode("jacobi", forKey: .decoder)
    case .draft(let drafting):
      try container.encode("draft", forKey: .decoder)
      try container.encodeIfPresent(drafting.drafter?.path, forKey: .drafter)
      try container.encodeIfPresent(drafting.length, forKey: .drafts)
      try container.encode(drafting.looksUp, forKey: .suffix)
    }
    try container.encode(tau, forKey: .tau)
    try container.encode(rate, forKey: .tokensPerSecond)
    try container.encodeIfPresent(interval, forKey: .interval)
    try container.encode(speedup, forKey: .speedup)
    try container.encode(correction, forKey: .correction)
    try container.encodeIfPresent(trial, forKey: .trial)
    try container.encode(command, forKey: .command)
  }
}
