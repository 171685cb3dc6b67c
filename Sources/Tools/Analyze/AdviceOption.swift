import Analysis
import Foundation

extension Advice {
  /// What one output is expected to take.
  struct Term: Equatable {
    var tokens: Int
    var rounds: Int
    var seconds: Double
  }

  /// What some outputs took when they were generated for real.
  struct Trial: Encodable, Equatable {
    var texts: Int
    var tokens: Int
    var passes: Int
    var seconds: Double

    var rate: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
  }

  /// One way of decoding and what is expected of it.
  struct Option {
    let name: String
    let way: DecodingWay
    let format: String
    /// The command that runs it.
    let command: String
    /// The replayed outputs; empty for what can't be replayed.
    let terms: [Term]
    /// What a run of some of them showed.
    var trial: Trial?
    /// Real speed over what replaying foretells.
    var correction = 1.0
    /// Over plain decoding of the same format.
    var speedup = 1.0
    /// Tokens per second where there is nothing to replay.
    private var rateWithoutReplay = 0.0

    init(_ configuration: RunConfiguration, terms: [Term], command: String) {
      name = configuration.description.name
      way = configuration.way
      format = configuration.description.format
      self.terms = terms
      self.command = command
    }

    /// Whether it is what a drafter does without options.
    var isUsual: Bool {
      guard case .draft(let drafting) = way, drafting.drafter != nil else { return false }
      return drafting.length == nil && drafting.looksUp && !drafting.recycling
    }

    /// Expected tokens per second.
    var rate: Double {
      terms.isEmpty ? rateWithoutReplay : correction * Self.rate(terms)
    }

    /// Over prompts; what the machine does in another minute is not in it.
    var interval: Interval? {
      Bootstrap().interval(ofRatio: terms.map { (Double($0.tokens), $0.seconds) }).map {
        Interval(low: $0.low * correction, high: $0.high * correction)
      }
    }

    /// Mean acceptance length, the bonus token included.
    var tau: Double {
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
    static func correct(_ options: inout [Option], places: [Int]) {
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

  func encode(to encoder: any Encoder) throws {
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
