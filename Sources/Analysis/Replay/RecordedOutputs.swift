import Files
package import Speculate

/// The outputs of a trace that were sampled alike, to be replayed.
package struct RecordedOutputs {
  /// The folders that the trace names.
  package let target: String
  package let drafters: [String]
  /// The fingerprint of the target's weights; nil in older traces.
  package let targetWeights: String?
  /// The formats that the target's matrices were held in.
  package let formats: [String]
  package let parameters: GenerationParameters
  /// How drafts were chosen.
  package let choice: DraftChoice?
  /// Prompts with their outputs, by format: [formats].
  private let textsOfFormats: [[DraftReplay.Text]]

  /// Takes the outputs of one temperature.
  ///
  /// - Parameters:
  ///   - name: the trace's, for messages.
  ///   - temperature: nil takes the first configuration's.
  ///   - limit: texts at most, spread over the trace.
  /// - Throws: `SpeculateError` when there are none.
  package init(_ trace: Trace, name: String, temperature: Float?, limit: Int) throws {
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
    if let rule = members.lazy.compactMap({ configurations[$0].verification }).first {
      throw SpeculateError(
        "\(name) has outputs of \(rule.rawValue) verification, which no replay can follow; trace some by "
          + "match")
    }
    let alike = members.filter { configurations[$0].sampling == settings.sampling }
    func different<T: Equatable>(_ values: [T]) -> [T] {
      values.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
    let recorded = different(alike.map { configurations[$0].format }).map { format in
      (
        format: format,
        texts: Self.texts(
          trace, of: Set(alike.filter { configurations[$0].format == format }), limit: limit)
      )
    }.filter { !$0.texts.isEmpty }
    guard !recorded.isEmpty else {
      throw SpeculateError("\(name) has no outputs at temperature \(wanted); trace some first")
    }
    formats = recorded.map(\.format)
    textsOfFormats = recorded.map(\.texts)
    target = settings.target
    targetWeights = settings.targetWeights
    drafters = different(members.compactMap { configurations[$0].drafter })
    choice = members.compactMap { configurations[$0].draftChoice }.first
    parameters = GenerationParameters(
      sampling: settings.sampling, maximumTokens: settings.maximumTokens,
      endTokens: settings.endTokens, ignoresEnd: settings.ignoresEnd)
  }

  private static func texts(
    _ trace: Trace, of members: Set<Int>, limit: Int
  ) -> [DraftReplay.Text] {
    var texts: [DraftReplay.Text] = []
    for unit in trace.units {
      for prompt in unit.prompts {
        let entry = unit.entries.first {
          $0.prompt == prompt.number && members.contains($0.configuration)
            && !$0.generation.rounds.isEmpty
        }
        guard let entry else { continue }
        texts.append(DraftReplay.Text(prompt: prompt.ids, output: entry.generation.tokens))
      }
    }
    return spread(texts, limit)
  }

  /// The outputs in a format; where it was not traced, those of the first, which resemble them.
  package func texts(_ format: String) -> [DraftReplay.Text] {
    textsOfFormats[formats.firstIndex(of: format) ?? 0]
  }

  /// A few texts spread over all.
  package static func spread(_ texts: [DraftReplay.Text], _ count: Int) -> [DraftReplay.Text] {
    let count = min(count, texts.count)
    return (0..<count).map { texts[$0 * texts.count / count] }
  }
}
