/// Applies a ``LeadingSpaceRule`` to a text that arrives token by token.
struct LeadingSpaceStripper {
  private var rule: LeadingSpaceRule

  init(rule: LeadingSpaceRule) { self.rule = rule }

  /// What remains of a text token's bytes.
  mutating func text(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    guard rule != .keep, !bytes.isEmpty else { return bytes[...] }
    let space = UInt8(ascii: " ")
    if rule == .dropOne {
      rule = .keep
      return bytes.first == space ? bytes.dropFirst() : bytes[...]
    }
    if rule == .dropAllOfFirstPiece {
      rule = .keep
      return bytes.filter { $0 != space }[...]
    }
    let rest = bytes.drop { $0 == space }
    if !rest.isEmpty { rule = .keep }
    return rest
  }

  /// The bytes of a special token that is shown; spaces after it are no longer leading ones.
  mutating func special(_ spelling: String) -> ArraySlice<UInt8> {
    if !spelling.isEmpty { rule = .keep }
    return Array(spelling.utf8)[...]
  }
}
