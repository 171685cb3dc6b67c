import Analysis
import ArgumentParser
import Files
import Foundation
import Speculate

/// Short runs of several ways of decoding in turn, so that they are measured in the same minute.
struct RoundTrials {
  /// What one way of decoding brought.
  struct Outcome {
    var seconds: [Double] = []
    var tokens = 0
    /// The rounds, but the first of each generation, in which the whole prompt is projected.
    var rounds: [RoundRecord] = []
    var passes = 0
  }

  let configurations: [RunConfiguration]
  /// Prompts, each with the output that is known of it.
  let texts: [DraftReplay.Text]
  let title: String
  /// After this many seconds no text is begun, but for the first two.
  var budget = 60.0

  /// Runs all ways of decoding on the texts.
  ///
  /// - Parameters:
  ///   - prompt: where generation starts in a text.
  ///   - tokens: the most to generate.
  /// - Returns: an outcome for each configuration, all over the same texts.
  /// - Throws: exit code 130 after Ctrl-C.
  func run(prompt: (DraftReplay.Text) -> [Token], tokens: Int) throws -> [Outcome] {
    let progress = ProgressLine(
      title, unit: "generations", total: configurations.count * texts.count)
    defer { progress.clear() }
    var outcomes = configurations.map { _ in Outcome() }
    for configuration in configurations {
      _ = try generate(configuration, prompt(texts[0]), min(tokens, 16))
    }
    let start = Stopwatch.now
    for (number, text) in texts.enumerated() where number < 2 || Stopwatch.now < start + budget {
      // Who goes first changes, so that none always profits from the others.
      let shift = number % configurations.count
      for index in [Int](shift..<configurations.count) + [Int](0..<shift) {
        let rounds = try generate(configurations[index], prompt(text), tokens)
        outcomes[index].seconds.append(rounds.reduce(0) { $0 + $1.seconds.total })
        outcomes[index].tokens += rounds.reduce(0) { $0 + $1.tokens.count }
        outcomes[index].rounds += rounds.dropFirst()
        outcomes[index].passes += rounds.count
      }
      progress.update((number + 1) * configurations.count)
    }
    return outcomes
  }

  private func generate(
    _ configuration: RunConfiguration, _ prompt: [Token], _ tokens: Int
  ) throws -> [RoundRecord] {
    let collector = RoundCollector()
    try configuration.generate(prompt, most: tokens, observer: collector)
    if Interruption.requested { throw Interruption.exitCode }
    return collector.rounds
  }
}
