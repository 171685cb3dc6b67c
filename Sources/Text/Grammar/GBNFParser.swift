import Files

/// Reads rules in GBNF, llama.cpp's form of Backus and Naur's (grammars/README.md of ggml-org/llama.cpp).
///
///     root ::= "[" (item ("," item)*)? "]"   # a comment
///     item ::= [a-z]+ | [0-9]{1,3}
///
/// A rule may go on behind a line's end within parentheses, and where a line ends or begins with `|`.
struct GBNFParser: ScalarReader {
  let text: [Unicode.Scalar]
  var place = 0
  private var depth = 0
  private var rules = GrammarRules()
  private var numbers: [String: Int] = [:]
  private var defined: Set<String> = []

  /// Parentheses in each other, at most.
  private static let deepest = 64
  /// Marks of repetition one behind the other, at most.
  private static let mostMarks = 4
  /// A count of repetitions, at most.
  static let mostRepetitions = 1 << 16

  private init(_ text: String) { self.text = Array(text.unicodeScalars) }

  /// The rules of a text, from the rule `root` on.
  ///
  /// - Throws: ``SpeculateError`` naming the line and what is wrong with it.
  static func rules(_ text: String) throws(SpeculateError) -> GrammarRules {
    var parser = GBNFParser(text)
    parser.skipSpace(lines: true)
    while parser.place < parser.text.count {
      try parser.readRule()
      parser.skipSpace(lines: true)
    }
    guard let root = parser.numbers["root"], parser.defined.contains("root") else {
      throw SpeculateError("the grammar has no rule \"root\": name the rule to begin with so")
    }
    if let stray = parser.rules.names.first(where: { !parser.defined.contains($0) }) {
      throw SpeculateError("the grammar has no rule \(quoted(stray)), but another one names it")
    }
    parser.rules.root = root
    return parser.rules
  }

  // MARK: Rules

  private mutating func readRule() throws(SpeculateError) {
    guard let name = readName() else { throw problem("a rule's name should stand here") }
    let number = self.number(of: name)
    guard defined.insert(name).inserted else {
      throw problem("the rule \(quoted(name)) is there already")
    }
    skipSpace(lines: false)
    guard take("::=") else { throw problem("\"::=\" should stand behind \(quoted(name))") }
    skipSpace(lines: true)
    rules.bodies[number] = try readChoice(isNested: false)
    guard place == text.count || isLineEnd else {
      throw problem("\(quoted(String(text[place]))) can't stand here")
    }
  }

  private mutating func number(of name: String) -> Int {
    if let known = numbers[name] { return known }
    let number = rules.add(name)
    numbers[name] = number
    return number
  }

  private mutating func readChoice(isNested: Bool) throws(SpeculateError) -> GrammarExpression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else {
      throw problem("parentheses are nested deeper than \(Self.deepest) levels")
    }
    var parts = [try readSequence(isNested: isNested)]
    while goesOn(isNested: isNested) {
      place += 1
      skipSpace(lines: true)
      parts.append(try readSequence(isNested: isNested))
    }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  /// Whether a `|` follows, perhaps on the next line.
  private mutating func goesOn(isNested: Bool) -> Bool {
    if peek == "|" { return true }
    guard !isNested, isLineEnd else { return false }
    let kept = place
    skipSpace(lines: true)
    if peek == "|" { return true }
    place = kept
    return false
  }

  private mutating func readSequence(isNested: Bool) throws(SpeculateError) -> GrammarExpression {
    var parts: [GrammarExpression] = []
    while let part = try readPart() {
      parts.append(try readRepetition(of: part))
      skipSpace(lines: isNested)
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  /// What stands here and can be repeated; `nil` at the end of a sequence.
  private mutating func readPart() throws(SpeculateError) -> GrammarExpression? {
    guard let first = peek else { return nil }
    switch first {
    case "\"": return try readText()
    case "[": return try readClass()
    case ".":
      place += 1
      return .scalars(ScalarRanges.all)
    case "(":
      place += 1
      skipSpace(lines: true)
      let inner = try readChoice(isNested: true)
      guard take(")") else { throw problem("a parenthesis is not closed") }
      return inner
    default:
      return readName().map { .rule(number(of: $0)) }
    }
  }

  private mutating func readRepetition(
    of part: GrammarExpression
  ) throws(SpeculateError) -> GrammarExpression {
    var part = part
    for _ in 0...Self.mostMarks {
      skipSpace(lines: false)
      switch peek {
      case "*": part = .repeated(part, least: 0, most: nil)
      case "+": part = .repeated(part, least: 1, most: nil)
      case "?": part = .optional(part)
      case "{":
        place += 1
        let (least, most) = try readCounts()
        part = .repeated(part, least: least, most: most)
        continue
      default: return part
      }
      place += 1
    }
    throw problem("more than \(Self.mostMarks) repetitions of repetitions")
  }

  private mutating func readCounts() throws(SpeculateError) -> (least: Int, most: Int?) {
    skipSpace(lines: false)
    guard let least = try readCount() else { throw problem("a count should stand here") }
    var most: Int? = least
    skipSpace(lines: false)
    if take(",") {
      skipSpace(lines: false)
      most = try readCount()
      skipSpace(lines: false)
    }
    guard take("}") else { throw problem("\"}\" should stand behind a count") }
    if let most, most < least { throw problem("{\(least),\(most)} is the wrong way round") }
    return (least, most)
  }

  // MARK: Characters

  private mutating func readText() throws(SpeculateError) -> GrammarExpression {
    place += 1
    var content = ""
    while let next = peek, next != "\"", !isLineEnd {
      content.unicodeScalars.append(try readScalar())
    }
    guard take("\"") else { throw problem("a text without end") }
    return .text(content)
  }

  private mutating func readClass() throws(SpeculateError) -> GrammarExpression {
    place += 1
    let isExcluded = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    while let next = peek, next != "]", !isLineEnd {
      let first = try readScalar().value
      var last = first
      if peek == "-", place + 1 < text.count, text[place + 1] != "]" {
        place += 1
        last = try readScalar().value
      }
      guard first <= last else { throw problem("a range of characters is the wrong way round") }
      ranges.append(first...last)
    }
    guard take("]") else { throw problem("a class of characters without end") }
    return .scalars(isExcluded ? ScalarRanges.complement(ranges) : ranges)
  }

  /// A character, or what a backslash and the next ones stand for.
  private mutating func readScalar() throws(SpeculateError) -> Unicode.Scalar {
    let first = text[place]
    place += 1
    guard first == "\\" else { return first }
    guard let kind = peek, !isLineEnd else { throw problem("a backslash with nothing behind it") }
    place += 1
    switch kind {
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "\\", "\"", "[", "]", "-", "^": return kind
    case "x": return try readHexadecimal(2)
    case "u": return try readHexadecimal(4)
    case "U": return try readHexadecimal(8)
    default: throw problem("\"\\\(kind)\" stands for no character")
    }
  }

  // MARK: Text

  private var isLineEnd: Bool { peek == "\n" || peek == "\r" }

  private mutating func readName() -> String? {
    var name = ""
    while let next = peek, next.isASCII,
      next.properties.isAlphabetic || ("0"..."9").contains(next) || next == "-" || next == "_"
    {
      name.unicodeScalars.append(next)
      place += 1
    }
    return name.isEmpty ? nil : name
  }

  /// Skips blanks and comments, and ends of lines where a rule may go on behind them.
  private mutating func skipSpace(lines: Bool) {
    while let next = peek {
      if next == "#" {
        while peek != nil, !isLineEnd { place += 1 }
      } else if next == " " || next == "\t" || lines && isLineEnd {
        place += 1
      } else {
        return
      }
    }
  }

  func problem(_ message: String) -> SpeculateError {
    let line = 1 + text[..<min(place, text.count)].count { $0 == "\n" }
    return SpeculateError("the grammar's line \(line): \(message)")
  }
}
