package import Files

package typealias DistillProgress = Joined<StepProgress, DistillFigures>

/// What a distillation run reports beside what every training does.
package struct DistillFigures: RecipeFigures, Equatable {
  /// The stage of the last step, for a drafter that sees tokens.
  package var stage: Int?
  /// Blocks seen.
  package var anchors: Int
  package var anchorsPerSecond: Double
  /// Mean acceptance length on held-out prompts, when just measured.
  package var acceptanceLength: Double?
  /// The share of rounds whose draft 1, 2 … was accepted, when just measured.
  package var survival: [Double]?
  /// The share of held-out answers that end in a loop, when just measured.
  package var loopShare: Double?
  /// Mean acceptance length on the other answers, when just measured.
  package var looplessAcceptanceLength: Double?
  /// What the engine that serves made of the held-out prompts with the last drafter, after the last step.
  package var generated: GeneratedAcceptance?
  /// The step of the best drafter so far, when acceptance was just measured and the best is kept.
  package var bestStep: Int?
  package var bestAcceptanceLength: Double?

  package var scalars: [(tag: String, value: Double)] {
    [("speed/anchors_per_second", anchorsPerSecond)]
      + (acceptanceLength.map { [("acceptance/tau", $0)] } ?? [])
      + (looplessAcceptanceLength.map { [("acceptance/tau_without_loops", $0)] } ?? [])
      + (generated.map { [("acceptance/tau_generated", $0.acceptance.acceptanceLength)] } ?? [])
      + (survival ?? []).enumerated().map { ("acceptance/draft_\($0 + 1)", $1) }
  }
}

/// What the responses are like.
package struct ResponseSummary: Sendable, Equatable, Codable {
  package var responses: Int
  /// The target's own tokens in them.
  package var tokens: Int
  /// The share of its tokens that the draft vocabulary holds.
  package var coverage: Double
}

/// What a distillation run is made from, and where in its data it is.
package struct DistillPosition: RecipePosition {
  /// The drafter's `config.json`.
  package var configuration: String
  /// The token of each draft index; nil for the whole vocabulary.
  package var draftVocabulary: [Token]?
  package var responses: Int
  /// A fingerprint of the responses; nil in checkpoints of earlier versions.
  package var data: UInt64?
  /// The number of the next visit of a sequence.
  package var visit = 0
  package var anchors = 0

  package func objection(to start: DistillPosition) -> String? {
    visit >= 0 && configuration == start.configuration && draftVocabulary == start.draftVocabulary
      && responses == start.responses && data ?? start.data == start.data
      ? nil
      : "was made with other sizes or responses: give the same settings, another ‘output’, "
        + "or delete it"
  }
}
