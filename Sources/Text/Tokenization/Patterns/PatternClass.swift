/// A set of characters in a pattern, which can be written as a pattern of PCRE2 for one character.
struct PatternClass {
  /// What stands within the brackets of a class.
  private var members = ""
  /// Patterns of other sets that belong to this one.
  private var others: [String] = []

  init(_ members: String = "") { self.members = members }

  init(intersection sets: [PatternClass]) {
    let conditions = sets.dropLast().map { "(?=\($0.pattern))" }.joined()
    others = ["(?:\(conditions)\(sets.last?.pattern ?? ""))"]
  }

  var isEmpty: Bool { members.isEmpty && others.isEmpty }

  mutating func append(_ members: String) { self.members += members }

  mutating func formUnion(_ set: PatternClass) {
    members += set.members
    others += set.others
  }

  /// All characters that are not in the set.
  var complement: PatternClass {
    var result = PatternClass()
    result.others = [others.isEmpty ? "[^\(members)]" : "(?:(?!\(pattern))(?s:.))"]
    return result
  }

  /// The set as a pattern that matches one character.
  var pattern: String {
    let sets = (members.isEmpty ? [] : ["[\(members)]"]) + others
    return sets.count == 1 ? sets[0] : "(?:\(sets.joined(separator: "|")))"
  }

  // MARK: Sets with names

  /// White_Space; PCRE2's own `\s` has U+180E as well.
  static let space =
    #"\t-\r\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"#
  /// The characters of words, by Unicode Technical Standard 18.
  static let standardWord = #"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}"#
  /// Oniguruma's `\w` and `\b` outside of a class count the numbers of Latin-1 too.
  static let word = standardWord + #"\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE}"#

  /// The set of `[:name:]`.
  static func posix(_ name: String) -> PatternClass? {
    let members = [
      "alpha": #"\p{Alphabetic}"#, "digit": #"\p{Nd}"#, "alnum": #"\p{Alphabetic}\p{Nd}"#,
      "upper": #"\p{Uppercase}"#, "lower": #"\p{Lowercase}"#, "space": space,
      "punct": #"\p{P}\p{S}"#, "cntrl": #"\p{Cc}"#, "xdigit": "0-9A-Fa-f", "word": standardWord,
    ]
    return members[name].map { PatternClass($0) }
  }

  private static let categories = [
    "letter": "L", "uppercaseletter": "Lu", "lowercaseletter": "Ll", "titlecaseletter": "Lt",
    "modifierletter": "Lm", "otherletter": "Lo", "mark": "M", "combiningmark": "M",
    "nonspacingmark": "Mn", "spacingmark": "Mc", "enclosingmark": "Me", "number": "N",
    "decimalnumber": "Nd", "letternumber": "Nl", "othernumber": "No", "punctuation": "P",
    "connectorpunctuation": "Pc", "dashpunctuation": "Pd", "openpunctuation": "Ps",
    "closepunctuation": "Pe", "initialpunctuation": "Pi", "finalpunctuation": "Pf",
    "otherpunctuation": "Po", "symbol": "S", "mathsymbol": "Sm", "currencysymbol": "Sc",
    "modifiersymbol": "Sk", "othersymbol": "So", "separator": "Z", "spaceseparator": "Zs",
    "lineseparator": "Zl", "paragraphseparator": "Zp", "other": "C", "control": "Cc",
    "format": "Cf", "privateuse": "Co", "unassigned": "Cn", "punct": "P",
  ]
  private static let properties: Set = [
    "any", "alphabetic", "uppercase", "lowercase", "ideographic", "emoji", "emojipresentation",
    "emojimodifier", "emojimodifierbase", "emojicomponent", "extendedpictographic",
  ]

  /// The set of `\p{name}`: a general category, a property or a script; nil if the name is none.
  static func property(_ name: String) -> PatternClass? {
    let plain = name.lowercased().filter { $0 != " " && $0 != "_" && $0 != "-" }
    guard !plain.isEmpty,
      plain.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) })
    else { return nil }
    if let set = posix(plain), plain != "punct" { return set }
    if plain == "whitespace" { return PatternClass(space) }
    if let category = categories[plain] { return PatternClass("\\p{\(category)}") }
    let short = plain.prefix(1).uppercased() + plain.dropFirst()
    if plain.count == 1 || categories.values.contains(short) {
      return PatternClass("\\p{\(short)}")
    }
    // By default, PCRE2 takes the name of a script for the characters that it shares, too.
    return PatternClass(properties.contains(plain) ? "\\p{\(plain)}" : "\\p{sc:\(plain)}")
  }
}
