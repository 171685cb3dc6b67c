/// A round's tokens as markup: drafts that were kept, the one that was not, and the target's own.
enum DraftedText {
  /// One round.
  ///
  /// - Parameters:
  ///   - accepted: the drafts that were accepted.
  ///   - rejected: the draft that was not; `nil` if all were.
  ///   - chosen: the target's own token, as it is to be shown.
  static func markup(accepted: String, rejected: String?, chosen: String) -> String {
    span("kept", Markup.escaped(accepted)) + span("lost", rejected.map(visible) ?? "")
      + span("own", chosen)
  }

  /// A token with its blanks shown, which decide more often than letters.
  static func visible(_ text: String) -> String {
    Markup.escaped(text).map { character in
      switch character {
      case " ": "·"
      case "\n": "⏎"
      case "\t": "⇥"
      default: String(character)
      }
    }.joined()
  }

  private static func span(_ style: String, _ content: String) -> String {
    content.isEmpty ? "" : "<span class=\"\(style)\">\(content)</span>"
  }
}
