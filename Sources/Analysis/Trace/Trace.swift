package import Files
package import Foundation
import Speculate

package struct Trace: Sendable, Equatable {
  package var header: TraceHeader
  package var texts: [Token: String]
  /// What was measured.
  package var units: [TraceUnit]

  /// Reads a whole trace.
  ///
  /// - Parameter salvaging: whether an incomplete end is dropped, as a run that was killed leaves it.
  /// - Throws: `SpeculateError` naming file and line when it is no trace, of a newer version, or
  ///   damaged.
  package static func read(_ url: URL, salvaging: Bool = false) throws -> Trace {
    var reader = try TraceReader(url: url, salvaging: salvaging)
    return try reader.read()
  }
}

/// What a trace holds about one task: its prompts (one for each turn, and for each way of sampling
/// when turns differ by it), and all generations from them.
package struct TraceUnit: Sendable, Equatable {
  package var prompts: [TracePrompt]
  package var entries: [TraceEntry]

  package init(prompts: [TracePrompt] = [], entries: [TraceEntry] = []) {
    self.prompts = prompts
    self.entries = entries
  }

  var tokens: Set<Token> {
    var tokens = Set(prompts.flatMap(\.ids))
    for round in entries.lazy.flatMap(\.generation.rounds) {
      tokens.formUnion(round.drafts)
      tokens.formUnion(round.tokens)
      guard let rejection = round.rejection else { continue }
      tokens.formUnion(rejection.draft.map(\.token))
      tokens.formUnion(rejection.target.map(\.token))
    }
    return tokens
  }
}

package struct TracePrompt: Sendable, Equatable {
  package var number: Int
  /// The task it belongs to: the turns of one conversation share it.
  package var task: Int
  /// Which turn of the conversation it is, from 0.
  package var turn: Int
  /// What it is about, such as `writing`.
  package var category: String
  /// Where it stands: `prompts.jsonl line 3`.
  package var place: String
  /// Its ids, special tokens included.
  package var ids: [Token]

  package init(
    number: Int, task: Int, turn: Int = 0, category: String, place: String, ids: [Token]
  ) {
    self.number = number
    self.task = task
    self.turn = turn
    self.category = category
    self.place = place
    self.ids = ids
  }
}

/// One generation of a trace: which prompt under which configuration, and its rounds.
package struct TraceEntry: Sendable, Equatable {
  /// The index of the configuration in the header.
  package var configuration: Int
  package var prompt: Int
  /// Which repetition it is, from 0.
  package var repetition: Int
  package var generation: TracedGeneration

  package init(
    configuration: Int, prompt: Int, repetition: Int, generation: TracedGeneration
  ) {
    self.configuration = configuration
    self.prompt = prompt
    self.repetition = repetition
    self.generation = generation
  }
}
