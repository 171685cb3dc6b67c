package import Files

/// What a distillation run is made from, and where in its data it is.
package struct DistillPosition: RecipePosition {
  /// The drafter's `config.json`.
  package var configuration: String
  /// The token of each draft index; nil for the whole vocabulary.
  package var draftVocabulary: [Token]?
  package var responses: Int
  /// The number of the next visit of a sequence.
  package var visit = 0
  package var anchors = 0

  package func objection(to start: DistillPosition) -> String? {
    configuration == start.configuration && draftVocabulary == start.draftVocabulary
      && responses == start.responses
      ? nil
      : "was made with other sizes or responses: give the same settings, another ‘output’, "
        + "or delete it"
  }
}
