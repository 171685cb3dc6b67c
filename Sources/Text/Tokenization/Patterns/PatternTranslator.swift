import Files

/// Rewrites a pattern in PCRE2's syntax.
///
/// Tokenizer files are written for Oniguruma (doc/RE of kkos/oniguruma, 6.9), which reads some things
/// differently: `\h` is a hexadecimal digit, `\w` has more characters, `{1,3}+` repeats a repetition,
/// `^` and `$` match at every line, and classes nest and intersect. The result means in PCRE2, with
/// `PCRE2_MULTILINE`, what the pattern means there. What can't be said in PCRE2 is an error.
struct PatternTranslator {
  let scalars: [Unicode.Scalar]
  var index = 0
  private var output: [Unicode.Scalar] = []
  /// Where the item begins that a quantifier would repeat; nil where there is none.
  var item: Int?
  /// The groups that are open: where each begins, where its content, and whether case is ignored
  /// around it.
  private var groups: [(start: Int, content: Int, ignoredCase: Bool)] = []
  private var ignoresCase = false
  /// The letter before, where case is ignored.
  private var foldedLetter: Unicode.Scalar?

  /// Groups and classes may be nested so deep.
  static let depthLimit = 64

  private init(_ pattern: String) { scalars = Array(pattern.unicodeScalars) }

  /// The pattern as PCRE2 reads it.
  ///
  /// - Throws: `SpeculateError` naming the part that is not supported.
  static func translated(_ pattern: String) throws -> String {
    var translator = PatternTranslator(pattern)
    try translator.run()
    var result = String.UnicodeScalarView()
    result.append(contentsOf: translator.output)
    return String(result)
  }

  /// A string as a pattern that matches it alone.
  static func escaped(_ text: String) -> String {
    text.unicodeScalars.map { literal($0) }.joined()
  }

  static func literal(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9": String(scalar)
    default:
      scalar.value < 0xA0 ? "\\x{\(String(scalar.value, radix: 16))}" : String(scalar)
    }
  }

  func refusal(_ what: some StringProtocol) -> SpeculateError {
    SpeculateError("\(quoted(String(what))) in a pattern is not supported")
  }

  func peek(_ text: String) -> Bool { scalars[index...].starts(with: text.unicodeScalars) }

  mutating func skip(_ text: String) -> Bool {
    guard peek(text) else { return false }
    index += text.unicodeScalars.count
    return true
  }

  mutating func append(_ text: String) { output += Array(text.unicodeScalars) }

  /// Appends what a quantifier may follow.
  mutating func appendItem(_ text: String) {
    item = output.count
    append(text)
  }

  private mutating func run() throws {
    while index < scalars.count {
      let scalar = scalars[index]
      index += 1
      var letter: Unicode.Scalar?
      switch scalar {
      case "\\": letter = try escape()
      case "[":
        appendItem(try characterClass(depth: 0).pattern)
      case "(": try openGroup()
      case ")": try closeGroup()
      case "|", "^", "$":
        append(String(scalar))
        item = nil
      case ".": appendItem(".")
      case "*", "+", "?": try repeatItem(String(scalar))
      case "{": if try !interval() { appendItem(Self.literal(scalar)) }
      default: letter = scalar
      }
      if let letter {
        try checkFolding(letter)
        appendItem(Self.literal(letter))
      }
      foldedLetter = ignoresCase ? letter : nil
    }
    guard groups.isEmpty else { throw refusal("( without )") }
  }

  /// Two letters that a ligature stands for, where case is ignored, match it in Oniguruma.
  private func checkFolding(_ letter: Unicode.Scalar) throws {
    guard let foldedLetter else { return }
    let pair = "\(foldedLetter)\(letter)".lowercased()
    if ["ss", "st", "ff", "fi", "fl"].contains(pair) { throw refusal("(?i:\(pair))") }
  }

  private mutating func openGroup() throws {
    guard groups.count < Self.depthLimit else { throw refusal("so many groups in each other") }
    let start = output.count
    let ignoredCase = ignoresCase
    item = nil
    if !peek("?") {
      append("(?:")
    } else if let opening = ["?:", "?=", "?!", "?>", "?<=", "?<!"].first(where: { skip($0) }) {
      append("(\(opening)")
    } else if try !options() {
      return
    }
    groups.append((start, output.count, ignoredCase))
  }

  /// Reads options, which begin with a question mark; returns whether they begin a group.
  private mutating func options() throws -> Bool {
    let letters = scalars[(index + 1)...].prefix { $0 == "i" || $0 == "m" || $0 == "-" }
    guard letters.endIndex < scalars.count, letters.count(where: { $0 == "-" }) < 2,
      scalars[letters.endIndex] == ":" || scalars[letters.endIndex] == ")"
    else {
      throw refusal("(" + String(String.UnicodeScalarView(scalars[index...].prefix(3))))
    }
    // Oniguruma's m lets a dot match line breaks, which is PCRE2's s.
    let text = String(String.UnicodeScalarView(letters)).replacing("m", with: "s")
    if let letter = letters.firstIndex(of: "i") {
      ignoresCase = !letters[..<letter].contains("-")
    }
    index = letters.endIndex + 1
    let beginsGroup = scalars[index - 1] == ":"
    // For the rest of a group, both take options in the same way where they stand in front.
    guard beginsGroup || output.count == groups.last?.content ?? 0 else {
      throw refusal("(?\(text)) inside a group")
    }
    append(beginsGroup ? "(?\(text):" : "(?\(text))")
    if !beginsGroup, !groups.isEmpty { groups[groups.count - 1].content = output.count }
    return beginsGroup
  }

  private mutating func closeGroup() throws {
    guard let group = groups.popLast() else { throw refusal(") without (") }
    append(")")
    ignoresCase = group.ignoredCase
    item = group.start
  }

  /// Appends a quantifier and what makes it lazy or possessive.
  private mutating func repeatItem(_ quantifier: String) throws {
    guard item != nil else { throw refusal("\(quantifier) with nothing to repeat") }
    append(quantifier)
    if skip("?") { append("?") } else if skip("+") { append("+") }
    item = nil
  }

  /// Reads `{n}`, `{n,}`, `{,m}` or `{n,m}` behind its brace; false where it is none.
  private mutating func interval() throws -> Bool {
    guard let end = scalars[index...].firstIndex(of: "}") else { return false }
    let text = String(String.UnicodeScalarView(scalars[index..<end]))
    let bounds = text.split(separator: ",", omittingEmptySubsequences: false)
    guard (1...2).contains(bounds.count), text != ",",
      bounds.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }), !text.isEmpty
    else { return false }
    let least = bounds[0].isEmpty ? 0 : Int(bounds[0])
    let most = bounds.count == 1 ? least : bounds[1].isEmpty ? Int.max : Int(bounds[1])
    guard let item, let least, let most, least <= most, least < 1 << 16,
      most < 1 << 16 || most == .max
    else { throw refusal("{\(text)}") }
    index = end + 1
    append(bounds.count == 1 ? "{\(least)}" : "{\(least),\(most == .max ? "" : String(most))}")
    // Behind an interval a plus repeats it, and behind a fixed one a question mark makes it optional.
    if peek("+") || peek("*") || (peek("?") && bounds.count == 1) {
      output.insert(contentsOf: "(?:".unicodeScalars, at: item)
      append(")")
      return true
    }
    if skip("?") { append("?") }
    self.item = nil
    return true
  }
}
