/// The generations of one configuration, prompt by prompt.
struct TracedRuns {
  /// The configuration; its name is unique among all traces of a report.
  let settings: TraceConfiguration
  let analysis: AcceptanceAnalysis

  /// The configurations of several traces, those that never ran left out.
  static func all(_ traces: [Trace], bootstrap: Bootstrap) -> [TracedRuns] {
    var names: Set<String> = []
    return traces.flatMap { trace in
      // A name that an earlier trace has too gets a number, in its baseline's place as well.
      let renamed = Dictionary(
        trace.header.configurations.map { configuration in
          var name = configuration.name
          var number = 2
          while !names.insert(name).inserted {
            name = "\(configuration.name) (\(number))"
            number += 1
          }
          return (configuration.name, name)
        }, uniquingKeysWith: { first, _ in first })
      let runs = prompts(of: trace)
      return trace.header.configurations.indices.compactMap { index in
        var settings = trace.header.configurations[index]
        settings.name = renamed[settings.name] ?? settings.name
        settings.baseline = settings.baseline.flatMap { renamed[$0] }
        let prompts = runs[index]
        return prompts.isEmpty
          ? nil
          : TracedRuns(
            settings: settings, analysis: AcceptanceAnalysis(prompts, bootstrap: bootstrap))
      }
    }
  }

  private static func prompts(of trace: Trace) -> [[PromptRuns]] {
    var runs = trace.header.configurations.map { _ in [PromptRuns]() }
    for unit in trace.units {
      for prompt in unit.prompts {
        for index in runs.indices {
          let generations = unit.entries.filter {
            $0.configuration == index && $0.prompt == prompt.number && !$0.generation.rounds.isEmpty
          }
          guard !generations.isEmpty else { continue }
          runs[index].append(
            PromptRuns(
              key: "\(prompt.place), turn \(prompt.turn + 1)", category: prompt.category,
              prompt: prompt.ids, generations: generations.map(\.generation)))
        }
      }
    }
    return runs
  }
}

extension AcceptanceAnalysis {
  /// Whether every output is the other's, over all prompts and repetitions; nil if they share none.
  func hasOutputs(of other: AcceptanceAnalysis) -> Bool? {
    let others = Dictionary(
      other.prompts.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    let pairs = prompts.compactMap { prompt in others[prompt.key].map { (prompt, $0) } }
    guard !pairs.isEmpty else { return nil }
    return pairs.allSatisfy { one, other in
      let expected = other.generations[0].tokens
      return (one.generations + other.generations).allSatisfy { $0.tokens == expected }
    }
  }
}
