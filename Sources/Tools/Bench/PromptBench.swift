/// Plain and speculative decoding of prompts in turn, round by round.
struct PromptBench {
  let decoder: AlternatingDecoder
  /// At least one.
  let prompts: [EncodedPrompt]

  /// Decodes all prompts both ways in every round, so that a change of a shared machine meets both,
  /// and shows as a spread.
  ///
  /// - Returns: The runs of each prompt, of complete rounds only; none when Ctrl-C came before the
  ///   first was complete.
  func measure(rounds: Int) throws -> [PromptComparison] {
    guard let first = prompts.first else { return [] }
    let progress = ProgressLine("measuring", unit: "prompts", total: rounds * prompts.count)
    defer { progress.clear() }
    progress.update(0)
    try decoder.warmUp(first)
    var complete = prompts.map { _ in PromptComparison() }
    for round in 0..<rounds {
      var runs = complete
      for (index, prompt) in prompts.enumerated() {
        guard try decoder.run(prompt, number: round + index, into: &runs[index]) else {
          return round > 0 ? complete : []
        }
        progress.update(round * prompts.count + index + 1)
      }
      complete = runs
    }
    return complete
  }

  /// Where outputs of a prompt differ, which they never should.
  func difference(_ comparisons: [PromptComparison]) -> String? {
    for (prompt, runs) in zip(prompts, comparisons) {
      guard let token = runs.divergence else { continue }
      return "\(prompt.place): from token \(token) on \(AlternatingDecoder.fault)"
    }
    return nil
  }
}
