/// Two texts beside each other, as wide as a terminal.
///
/// A line is broken between words where it can be, and within a word longer than a column. What a
/// terminal would act on (control characters, tabs) is shown as spaces.
package struct TextColumns {
  private static let gap = " │ "
  private let width: Int

  /// - Parameter width: Characters of a line; both columns have at least 16.
  package init(width: Int) { self.width = max(16, (width - Self.gap.count) / 2) }

  /// The lines of both texts, the shorter one filled up with empty lines.
  package func lines(_ left: String, _ right: String) -> [String] {
    let (left, right) = (wrapped(left), wrapped(right))
    return (0..<max(left.count, right.count)).map { row in
      let own = row < left.count ? left[row] : ""
      let other = row < right.count ? right[row] : ""
      let fill = String(repeating: " ", count: max(0, width - Self.cells(own)))
      return other.isEmpty
        ? String((own + fill + Self.gap).reversed().drop { $0 == " " }.reversed())
        : own + fill + Self.gap + other
    }
  }

  private func wrapped(_ text: String) -> [String] {
    text.split(omittingEmptySubsequences: false) { $0.isNewline }.flatMap(wrappedLine)
  }

  private func wrappedLine(_ line: Substring) -> [String] {
    var lines: [String] = []
    var (current, used) = ("", 0)
    // Words with the spaces behind them, so that indentation stays.
    var rest = line.map { Self.isControl($0) ? " " : $0 }[...]
    while !rest.isEmpty {
      let spaces = rest.prefix { $0 == " " }
      let word = rest.dropFirst(spaces.count).prefix { $0 != " " }
      rest = rest.dropFirst(spaces.count + word.count)
      if used > 0, used + spaces.count + Self.cells(word) > width {
        lines.append(current)
        (current, used) = ("", 0)
      } else {
        current += String(spaces)
        used += spaces.count
      }
      for character in word {
        let own = Self.cells(character)
        if used + own > width {
          lines.append(current)
          (current, used) = ("", 0)
        }
        current.append(character)
        used += own
      }
    }
    return lines + [current]
  }

  private static func isControl(_ character: Character) -> Bool {
    character.unicodeScalars.contains { $0.properties.generalCategory == .control }
  }

  private static func cells(_ text: some Sequence<Character>) -> Int {
    text.reduce(0) { $0 + cells($1) }
  }

  /// Two for East Asian characters and pictures, as terminals show them.
  private static func cells(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }
}
