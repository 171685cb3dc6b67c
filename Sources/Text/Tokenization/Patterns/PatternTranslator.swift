import Files

/// Rewrites a pattern in PCRE2's syntax.
///
/// Tokenizer files are written for Oniguruma (doc/RE of kkos/oniguruma, 6.9), which reads some things
/// differently: `\h` is a hexadecimal digit, `\w` has more characters, `{1,3}+` repeats a repetition,
/// `^` and `$` match at every line, and classes nest and intersect. The result means in PCRE2, with
/// `PCRE2_MULTILINE`, what the pattern means there. What can't be said in PCRE2 is an error.
struct PatternTranslator {
  private let scalars: [Unicode.Scalar]
  private var index = 0
  private var output: [Unicode.Scalar] = []
  /// Where the item begins that a quantifier would repeat; nil where there is none.
  private var item: Int?
  /// The groups that are open: where each begins, where its content, and whether case is ignored
  /// around it.
  private var groups: [(start: Int, content: Int, ignoredCase: Bool)] = []
  private var ignoresCase = false
  /// The letter before, where case is ignored.
  private var foldedLetter: Unicode.Scalar?

  /// Groups and classes may be nested so deep.
  private static let depthLimit = 64

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

  private func refusal(_ what: some StringProtocol) -> SpeculateError {
    SpeculateError("\(quoted(String(what))) in a pattern is not supported")
  }

  private func peek(_ text: String) -> Bool { scalars[index...].starts(with: text.unicodeScalars) }

  private mutating func skip(_ text: String) -> Bool {
    guard peek(text) else { return false }
    index += text.unicodeScalars.count
    return true
  }

  private mutating func append(_ text: String) { output += Array(text.unicodeScalars) }

  /// Appends what a quantifier may follow.
  private mutating func appendItem(_ text: String) {
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

  // MARK: Escapes

  /// Reads what follows a backslash; returns the character if it stands for one.
  private mutating func escape() throws -> Unicode.Scalar? {
    guard index < scalars.count else { throw refusal("\\") }
    let scalar = scalars[index]
    switch scalar {
    case "A", "z", "Z":
      append("\\\(scalar)")
      (index, item) = (index + 1, nil)
    case "b", "B":
      index += 1
      let word = "[\(PatternClass.word)]"
      appendItem(
        scalar == "b"
          ? "(?:(?<=\(word))(?!\(word))|(?<!\(word))(?=\(word)))"
          : "(?:(?<=\(word))(?=\(word))|(?<!\(word))(?!\(word)))")
      item = nil
    case "R":
      index += 1
      appendItem(#"(?>\r\n|[\n-\r\x{85}\x{2028}\x{2029}])"#)
    default:
      if let set = try setEscape(inClass: false) {
        appendItem(set.pattern)
      } else {
        return try characterEscape(inClass: false)
      }
    }
    return nil
  }

  /// A set of characters at the letter behind a backslash, nil where none is.
  private mutating func setEscape(inClass: Bool) throws -> PatternClass? {
    let letter = scalars[index]
    let isNegated = "DWSHP".unicodeScalars.contains(letter)
    let set: PatternClass
    switch letter {
    case "d", "D": set = PatternClass(#"\p{Nd}"#)
    case "w", "W": set = PatternClass(inClass ? PatternClass.standardWord : PatternClass.word)
    case "s", "S": set = PatternClass(PatternClass.space)
    case "h", "H": set = PatternClass("0-9A-Fa-f")
    case "p", "P":
      guard index + 1 < scalars.count, scalars[index + 1] == "{",
        let end = scalars[index...].firstIndex(of: "}")
      else { throw refusal("\\\(letter)") }
      var name = String(String.UnicodeScalarView(scalars[index + 2..<end]))
      let isComplement = name.hasPrefix("^")
      if isComplement { name.removeFirst() }
      guard let property = PatternClass.property(name) else { throw refusal("\\p{\(name)}") }
      index = end + 1
      return isNegated != isComplement ? property.complement : property
    default: return nil
    }
    index += 1
    return isNegated ? set.complement : set
  }

  /// The character that the letters behind a backslash stand for.
  private mutating func characterEscape(inClass: Bool) throws -> Unicode.Scalar {
    let scalar = scalars[index]
    index += 1
    switch scalar {
    case "t": return "\t"
    case "n": return "\n"
    case "r": return "\r"
    case "f": return "\u{C}"
    case "v": return "\u{B}"
    case "a": return "\u{7}"
    case "e": return "\u{1B}"
    case "b" where inClass: return "\u{8}"
    case "x", "u":
      let isBraced = scalar == "x" && skip("{")
      let limit = isBraced ? 8 : scalar == "u" ? 4 : 2
      let digits = scalars[index...].prefix(limit).prefix { $0.properties.isASCIIHexDigit }
      index += digits.count
      let text = String(String.UnicodeScalarView(digits))
      guard let value = UInt32(text, radix: 16), let result = Unicode.Scalar(value),
        !isBraced || skip("}"), scalar == "x" || text.count == 4,
        isBraced || scalar == "u" || value < 0x80
      else { throw refusal("\\\(scalar)\(text)") }
      return result
    case "a"..."z", "A"..."Z", "0"..."9": throw refusal("\\\(scalar)")
    default: return scalar
    }
  }

  // MARK: Groups and quantifiers

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

  // MARK: Classes

  /// Reads a class behind its bracket.
  private mutating func characterClass(depth: Int) throws -> PatternClass {
    guard depth < Self.depthLimit else { throw refusal("so many classes in each other") }
    let isNegated = skip("^")
    var sides: [PatternClass] = []
    var side = PatternClass()
    var isFirst = true
    while true {
      guard index < scalars.count else { throw refusal("[ without ]") }
      if scalars[index] == "]", !isFirst { break }
      isFirst = false
      if skip("&&") {
        sides.append(side)
        side = PatternClass()
      } else if skip("[:") {
        side.formUnion(try posixClass())
      } else if skip("[") {
        side.formUnion(try characterClass(depth: depth + 1))
      } else if let set = try classEscape() {
        side.formUnion(set)
        if peek("-"), index + 1 < scalars.count, scalars[index + 1] != "]" {
          throw refusal("a range from a class")
        }
      } else {
        side.append(try range())
      }
    }
    index += 1
    sides.append(side)
    guard !sides.contains(where: \.isEmpty) else { throw refusal("an empty class") }
    let set = sides.count == 1 ? side : PatternClass(intersection: sides)
    return isNegated ? set.complement : set
  }

  private mutating func classEscape() throws -> PatternClass? {
    guard scalars[index] == "\\", index + 1 < scalars.count else { return nil }
    index += 1
    if let set = try setEscape(inClass: true) { return set }
    index -= 1
    return nil
  }

  private mutating func classCharacter() throws -> Unicode.Scalar {
    let scalar = scalars[index]
    index += 1
    guard scalar == "\\" else { return scalar }
    guard index < scalars.count else { throw refusal("\\") }
    return try characterEscape(inClass: true)
  }

  /// A character, or a range of them.
  private mutating func range() throws -> String {
    let first = try classCharacter()
    guard peek("-"), index + 1 < scalars.count, scalars[index + 1] != "]" else {
      return Self.literal(first)
    }
    index += 1
    guard scalars[index] != "[", !peek("&&"), try classEscape() == nil else {
      throw refusal("a range to a class")
    }
    let last = try classCharacter()
    guard first <= last else { throw refusal("[\(first)-\(last)]") }
    return "\(Self.literal(first))-\(Self.literal(last))"
  }

  /// `[:name:]` or `[:^name:]` behind its colon.
  private mutating func posixClass() throws -> PatternClass {
    let isNegated = skip("^")
    let letters = scalars[index...].prefix { ("a"..."z").contains($0) }
    index += letters.count
    let name = String(String.UnicodeScalarView(letters))
    guard skip(":]"), let set = PatternClass.posix(name) else { throw refusal("[:\(name):]") }
    return isNegated ? set.complement : set
  }
}
