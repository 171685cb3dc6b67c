import Files
import Speculate

/// A place where a block ended, in its context, with what both models thought.
package struct RejectionExample: Encodable, Sendable {
  /// A token that a model considered.
  package struct Candidate: Encodable, Sendable {
    package var text: String
    package var probability: Double
    /// Whether it is the token that was drafted, or that the target chose.
    package var isChosen: Bool
  }

  package var configuration: String
  package var prompt: String
  package var category: String
  /// The end of the text before the round, the prompt's included.
  package var context: String
  /// The drafts that were accepted.
  package var accepted: String
  /// The draft that was not.
  package var rejected: String
  /// What the target chose instead.
  package var chosen: String
  /// Where it came from.
  package var source: String
  package var draftConfidence: Double?
  package var targetProbability: Double
  /// The target's probability of the draft.
  package var probabilityOfDraft: Double
  package var draftCandidates: [Candidate]
  package var targetCandidates: [Candidate]

  private static let contextTokens = 24
  private static let examplesEach = 6

  /// The rejections that say most of each configuration: those in which the source was surest, one
  /// from a prompt.
  static func choose(from runs: [TracedRuns], texts: [Token: String]) -> [RejectionExample] {
    runs.flatMap { run in
      let best = run.analysis.prompts.compactMap { prompt -> (PromptRuns, Int, Float)? in
        let rounds = prompt.generations[0].rounds
        let sure = rounds.indices.compactMap { index -> (Int, Float)? in
          let round = rounds[index]
          guard round.rejection != nil, let draft = round.rejectedDraft else { return nil }
          // Sources without probabilities are surest where they were right for long.
          return (index, confidence(round, draft) ?? Float(round.accepted) / 1000)
        }
        return sure.max { $0.1 < $1.1 }.map { (prompt, $0.0, $0.1) }
      }
      return best.sorted { $0.2 > $1.2 }.prefix(examplesEach).compactMap { prompt, index, _ in
        RejectionExample(run.settings.name, prompt, round: index, texts: texts)
      }
    }
  }

  private static func confidence(_ round: RoundRecord, _ draft: Int) -> Float? {
    round.confidences.isEmpty ? nil : round.confidences[draft]
  }

  private init?(
    _ configuration: String, _ prompt: PromptRuns, round index: Int, texts: [Token: String]
  ) {
    let generation = prompt.generations[0]
    let round = generation.rounds[index]
    guard let rejection = round.rejection, let own = round.tokens.last,
      let place = round.rejectedDraft
    else { return nil }
    func text(_ tokens: some Sequence<Token>) -> String {
      tokens.map { texts[$0] ?? "<\($0)>" }.joined()
    }
    let before = prompt.prompt + generation.rounds[..<index].flatMap(\.tokens)
    let draft = round.drafts[place]
    self.configuration = configuration
    self.prompt = prompt.key
    category = prompt.category
    context = text(before.suffix(Self.contextTokens))
    accepted = text(round.tokens.prefix(round.accepted))
    rejected = text([draft])
    chosen = text([own])
    source = round.origin(of: place)?.rawValue ?? ""
    draftConfidence = Self.confidence(round, place).map(Double.init)
    targetProbability = Double(round.probabilities[round.tokens.count - 1])
    probabilityOfDraft = Double(rejection.probability)
    draftCandidates = rejection.draft.map {
      Candidate(
        text: text([$0.token]), probability: Double($0.probability), isChosen: $0.token == draft)
    }
    targetCandidates = rejection.target.map {
      Candidate(
        text: text([$0.token]), probability: Double($0.probability), isChosen: $0.token == own)
    }
  }
}
