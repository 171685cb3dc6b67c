import Files
import Speculate

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
