/// Whose experience tells the chance of a draft, and at which place.
struct ChanceCell: Equatable {
  /// A row of ``DraftChances``: the model drafter's, or that of a kind of free draft.
  var table: Int
  /// Tokens since this source's path left the others'.
  var place: Int
  /// The draft's probability by its source's own account, if it has one.
  var confidence: Float?

  /// No draft: the anchor.
  static let root = Self(table: -1, place: 0)

  static func model(place: Int, confidence: Float?) -> Self {
    Self(table: 0, place: place, confidence: confidence)
  }

  /// A free draft; as a branch it stands beside another source's draft, and so is right where that
  /// one is wrong.
  static func free(_ kind: FreeDraftKind, isBranch: Bool, place: Int) -> Self {
    Self(table: 1 + 2 * kind.index + (isBranch ? 1 : 0), place: place)
  }
}
