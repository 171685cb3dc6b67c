/// Where the drafts of a block came from.
public enum DraftOrigin: String, Sendable, Equatable, Codable, CaseIterable {
  /// A drafter model.
  case drafter
  /// A match of the text's end in earlier text.
  case suffix
  /// The target's own predictions behind an earlier rejection.
  case recycled
  /// A block under Jacobi iteration.
  case jacobi
  /// What the grammar of the output forces.
  case scaffold
}
