import Files

/// A token that is found in a text by its spelling, not by merging.
struct AddedToken: Equatable, Sendable {
  var id: Token
  /// How it is spelled in a text.
  var content: String
  /// Whether it is structure, not text.
  var special: Bool
  /// Whether spaces on its left belong to it.
  var stripsLeft = false
  /// Whether spaces on its right belong to it.
  var stripsRight = false
  /// Whether it is found only where no letter, digit or underscore touches it.
  var singleWord = false
  /// Whether it is looked for in the normalized text, normalized itself.
  var normalized = false
}
