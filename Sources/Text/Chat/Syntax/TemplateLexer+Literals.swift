/// Names, numbers and strings.
extension TemplateLexer {
  /// A token that begins at `position`, and where it ends.
  typealias Literal = (kind: TemplateToken.Kind, end: Int)

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
  }

  private func isDigit(_ index: Int) -> Bool {
    scalar(index).map { ("0"..."9").contains($0) } ?? false
  }

  func name() throws -> Literal? {
    var end = position
    while let scalar = scalar(end), Self.isWord(scalar) { end += 1 }
    guard end > position else { return nil }
    guard source[position] == "_" || source[position].properties.isAlphabetic else {
      throw TemplateProblem("a name begins with '\(source[position])'", line: line)
    }
    return (.name(text(position..<end)), end)
  }

  func number() throws -> Literal? {
    guard isDigit(position) else { return nil }
    let wholeEnd = digits(from: position)
    // Not behind a dot: `list.0.1` is two indices.
    if position == 0 || source[position - 1] != "." {
      var end = wholeEnd
      if scalar(end) == ".", isDigit(end + 1) { end = digits(from: end + 1) }
      if let mark = scalar(end), mark == "e" || mark == "E" {
        let sign = scalar(end + 1)
        let exponent = end + (sign == "+" || sign == "-" ? 2 : 1)
        if isDigit(exponent) { end = digits(from: exponent) }
      }
      if end > wholeEnd {
        let spelling = text(position..<end).filter { $0 != "_" }
        guard let value = Double(spelling), value.isFinite else {
          throw TemplateProblem("the number \(spelling) is too large", line: line)
        }
        return (.float(value), end)
      }
    }
    return try integer(decimalEnd: wholeEnd)
  }

  private func integer(decimalEnd: Int) throws -> Literal {
    var (radix, start, end) = (10, position, decimalEnd)
    if source[position] == "0", let mark = scalar(position + 1),
      let base = ["b": 2, "o": 8, "x": 16][String(Character(mark)).lowercased()],
      let digit = scalar(position + 2), Self.isDigit(digit, radix: base)
    {
      (radix, start, end) = (base, position + 2, position + 3)
      while let digit = scalar(end), Self.isDigit(digit, radix: base) { end += 1 }
    }
    let spelling = text(start..<end).filter { $0 != "_" }
    guard let value = Int(spelling, radix: radix) else {
      throw TemplateProblem("the number \(spelling) is too large", line: line)
    }
    return (.integer(value), end)
  }

  private static func isDigit(_ scalar: Unicode.Scalar, radix: Int) -> Bool {
    Character(scalar).hexDigitValue.map { $0 < radix } ?? false
  }

  /// Behind digits that single underscores may separate.
  private func digits(from start: Int) -> Int {
    var end = start
    while isDigit(end) || (scalar(end) == "_" && end > start && isDigit(end + 1)) { end += 1 }
    return end
  }

  func string() throws -> Literal? {
    guard let quote = scalar(position), quote == "'" || quote == "\"" else { return nil }
    var result = String.UnicodeScalarView()
    var index = position + 1
    while let scalar = scalar(index) {
      if scalar == quote { return (.string(String(result)), index + 1) }
      if scalar == "\\" {
        let (unescaped, end) = try escape(at: index)
        if let unescaped { result.append(contentsOf: unescaped) }
        index = end
      } else {
        result.append(scalar)
        index += 1
      }
    }
    throw TemplateProblem("the string has no closing \(quote)", line: line)
  }

  private static let simpleEscapes: [Unicode.Scalar: Unicode.Scalar] = [
    "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n",
    "r": "\r", "t": "\t", "v": "\u{B}",
  ]

  /// What a backslash and what follows stand for, by the rules of Python's strings: an escape that
  /// is none stays as it is.
  private func escape(at index: Int) throws -> (scalars: [Unicode.Scalar]?, end: Int) {
    guard let mark = scalar(index + 1) else { return (["\\"], index + 1) }
    if let simple = Self.simpleEscapes[mark] { return ([simple], index + 2) }
    switch mark {
    case "\n": return (nil, index + 2)
    case "x": return try code(index, digits: 2)
    case "u": return try code(index, digits: 4)
    case "U": return try code(index, digits: 8)
    case "N": return try named(index)
    case "0"..."7":
      var (value, end): (UInt32, Int) = (0, index + 1)
      while end < index + 4, let digit = scalar(end), Self.isDigit(digit, radix: 8) {
        value = value * 8 + (digit.value - 48)
        end += 1
      }
      return (Unicode.Scalar(value).map { [$0] }, end)
    default: return (["\\", mark], index + 2)
    }
  }

  private func code(_ index: Int, digits: Int) throws -> (scalars: [Unicode.Scalar]?, end: Int) {
    let (start, end) = (index + 2, index + 2 + digits)
    guard end <= source.count, source[start..<end].allSatisfy({ Self.isDigit($0, radix: 16) }),
      let value = UInt32(text(start..<end), radix: 16), let scalar = Unicode.Scalar(value)
    else { throw TemplateProblem("'\\\(source[index + 1])' is no character's code", line: line) }
    return ([scalar], end)
  }

  /// `\N{NAME}`, a character by its name in Unicode.
  private func named(_ index: Int) throws -> (scalars: [Unicode.Scalar]?, end: Int) {
    let start = index + 3
    let end = source[min(start, source.count)...].prefix(128).firstIndex(of: "}")
    guard scalar(index + 2) == "{", let end, let scalar = Self.character(text(start..<end)) else {
      throw TemplateProblem("'\\N' is not followed by the name of a character", line: line)
    }
    return ([scalar], end + 1)
  }

  private static func character(_ name: String) -> Unicode.Scalar? { names[name.uppercased()] }

  /// Characters by name, made when a template first spells one.
  private static let names: [String: Unicode.Scalar] = {
    var names: [String: Unicode.Scalar] = [:]
    for value in UInt32(0)...0x10FFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      if let alias = scalar.properties.nameAlias { names[alias] = scalar }
      if let name = scalar.properties.name { names[name] = scalar }
    }
    return names
  }()
}
