/// What is known about speed, for drafting as much as is expected to pay (``DraftBudget``).
package struct AdaptiveDraftLength: Sendable, Equatable {
  /// What passes cost.
  package var cost: CostModel
  /// How likely drafts are accepted.
  package var chances: DraftChances

  package init(_ cost: CostModel, chances: DraftChances = DraftChances()) {
    self.cost = cost
    self.chances = chances
  }
}

/// How many drafts a round proposes and verifies. It decides speed, never the output.
package enum DraftLength: Sendable, Equatable {
  /// Always as many as this, as far as the limits of the output allow.
  case fixed(Int)
  /// As many as are expected to pay.
  case adaptive(AdaptiveDraftLength)
}
