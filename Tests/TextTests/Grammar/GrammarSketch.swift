import TestSupport

/// A grammar as a tree, with a matcher that has nothing in common with the library's: it follows the rules'
/// definitions on sets of places.
indirect enum GrammarSketch {
  case text(String)
  case letters(String, isExcluded: Bool)
  case sequence([GrammarSketch])
  case choice([GrammarSketch])
  case repeated(GrammarSketch, Int, Int?)
  case rule(Int)

  /// How it is written.
  var gbnf: String {
    switch self {
    case .text(let text): "\"\(text)\""
    case .letters(let letters, let isExcluded): "[\(isExcluded ? "^" : "")\(letters)]"
    case .sequence(let parts): "(" + parts.map(\.gbnf).joined(separator: " ") + ")"
    case .choice(let parts): "(" + parts.map(\.gbnf).joined(separator: " | ") + ")"
    case .repeated(let part, let least, let most):
      switch (least, most) {
      case (0, nil): part.gbnf + "*"
      case (1, nil): part.gbnf + "+"
      case (0, 1?): part.gbnf + "?"
      case (_, nil): part.gbnf + "{\(least),}"
      case (_, let most?): part.gbnf + "{\(least),\(most)}"
      }
    case .rule(let rule): rule == 0 ? "root" : "r\(rule)"
    }
  }

  static func gbnf(_ rules: [GrammarSketch]) -> String {
    rules.indices.map { "\(GrammarSketch.rule($0).gbnf) ::= \(rules[$0].gbnf)\n" }.joined()
  }

  /// A random tree of a few nodes that names rules behind `rule` first, so that none begins with itself.
  static func random(
    depth: Int, rule: Int, rules: Int, isFirst: Bool = true, using random: inout RandomNumbers
  ) -> GrammarSketch {
    let kind =
      depth == 0 ? Int.random(in: 0...1, using: &random) : Int.random(in: 0...6, using: &random)
    func inner(_ isFirst: Bool, _ random: inout RandomNumbers) -> GrammarSketch {
      Self.random(depth: depth - 1, rule: rule, rules: rules, isFirst: isFirst, using: &random)
    }
    switch kind {
    case 0:
      return .text(["a", "b", "ab", "", "ca", "c"].randomElement(using: &random) ?? "a")
    case 1:
      return .letters(
        ["ab", "c", "bc", "a-b"].randomElement(using: &random) ?? "a", isExcluded: false)
    case 2, 3:
      // Only behind a letter is a rule's own name no beginning of itself.
      return .sequence([.text("b"), inner(false, &random), inner(false, &random)])
    case 4: return .choice([inner(isFirst, &random), inner(isFirst, &random)])
    case 5:
      let least = Int.random(in: 0...2, using: &random)
      let most = Bool.random(using: &random) ? least + Int.random(in: 0...2, using: &random) : nil
      return .repeated(inner(isFirst, &random), least, most)
    default:
      let first = isFirst ? rule + 1 : 0
      return first < rules ? .rule(Int.random(in: first..<rules, using: &random)) : .text("c")
    }
  }

  /// Whether rules match a whole text.
  static func match(_ rules: [GrammarSketch], _ text: [Character]) -> Bool {
    ends(.rule(0), rules, text, 0, []).contains(text.count)
  }

  private struct Visit: Hashable {
    var rule: Int
    var place: Int
  }

  /// Where a match from a place may end.
  private static func ends(
    _ sketch: GrammarSketch, _ rules: [GrammarSketch], _ text: [Character], _ place: Int,
    _ open: Set<Visit>
  ) -> Set<Int> {
    switch sketch {
    case .text(let own):
      return text[place...].starts(with: own) ? [place + own.count] : []
    case .letters(let letters, let isExcluded):
      guard place < text.count else { return [] }
      let set: Set<Character> = letters == "a-b" ? ["a", "b"] : Set(letters)
      return set.contains(text[place]) != isExcluded ? [place + 1] : []
    case .sequence(let parts):
      return parts.reduce([place]) { places, part in
        places.reduce(into: []) { $0.formUnion(ends(part, rules, text, $1, open)) }
      }
    case .choice(let parts):
      return parts.reduce(into: []) { $0.formUnion(ends($1, rules, text, place, open)) }
    case .repeated(let part, let least, let most):
      var now: Set<Int> = [place]
      var all: Set<Int> = least == 0 ? [place] : []
      // More rounds than letters bring nothing new.
      for round in 1...least + text.count + 1 {
        if let most, round > most { break }
        now = now.reduce(into: []) { $0.formUnion(ends(part, rules, text, $1, open)) }
        if round >= least { all.formUnion(now) }
      }
      return all
    case .rule(let rule):
      let visit = Visit(rule: rule, place: place)
      guard !open.contains(visit) else { return [] }
      return ends(rules[rule], rules, text, place, open.union([visit]))
    }
  }
}
