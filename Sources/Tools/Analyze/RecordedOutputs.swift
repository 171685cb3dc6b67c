import Speculate
import Tensors

/// The outputs of a trace that were sampled alike, to be replayed.
struct RecordedOutputs {
  /// Prompts with their outputs.
  let texts: [DraftReplay.Text]
  /// The folders that the trace names.
  let target: String
  let drafters: [String]
  /// How the outputs were generated.
  let parameters: GenerationParameters
  let choice: DraftChoice?

  /// Takes the outputs of one temperature.
  ///
  /// - Parameters:
  ///   - name: the trace's, for messages.
  ///   - temperature: nil takes the first configuration's.
  ///   - limit: texts at most, spread over the trace.
  /// - Throws: `SpeculateError` when there are none.
  init(_ trace: Trace, name: String, temperature: Float?, limit: Int) throws {
    let configurations = trace.header.configurations
    let wanted = temperature ?? configurations[0].sampling.temperature
    let members = configurations.indices.filter {
      configurations[$0].sampling.temperature == wanted
    }
    guard let first = members.first else {
      let known = Set(configurations.map(\.sampling.temperature)).sorted()
      throw SpeculateError(
        "\(name) has no outputs at temperature \(wanted); it has those at "
          + known.map { "\($0)" }.joined(separator: ", "))
    }
    let settings = configurations[first]
    var texts: [DraftReplay.Text] = []
    for unit in trace.units {
      for prompt in unit.prompts {
        let entry = unit.entries.first {
          $0.prompt == prompt.number && members.contains($0.configuration)
            && configurations[$0.configuration].sampling == settings.sampling
            && configurations[$0.configuration].format == settings.format
            && !$0.generation.rounds.isEmpty
        }
        guard let entry else { continue }
        texts.append(DraftReplay.Text(prompt: prompt.ids, output: entry.generation.tokens))
      }
    }
    guard !texts.isEmpty else {
      throw SpeculateError("\(name) has no outputs at temperature \(wanted); trace some first")
    }
    let count = min(limit, texts.count)
    self.texts = (0..<count).map { texts[$0 * texts.count / count] }
    target = settings.target
    drafters = members.compactMap { configurations[$0].drafter }.reduce(into: []) {
      if !$0.contains($1) { $0.append($1) }
    }
    choice = members.compactMap { configurations[$0].draftChoice }.first
    parameters = GenerationParameters(
      sampling: settings.sampling, maximumTokens: settings.maximumTokens,
      ignoresEnd: settings.ignoresEnd)
  }

  /// A few texts spread over all, to measure on.
  func sample(_ count: Int) -> [DraftReplay.Text] {
    let count = min(count, texts.count)
    return (0..<count).map { texts[$0 * texts.count / count] }
  }
}
