/// Cuts a template into tokens, by the rules of Jinja2's `lexer.py` (3.1.6) with `trim_blocks` and
/// `lstrip_blocks` on, as Python's transformers sets them.
///
/// A line feed right behind a block or comment is dropped, and so are blanks between the beginning
/// of a line and a block or comment. A `-` inside a tag drops all blanks on its side; a `+` keeps
/// them.
struct TemplateLexer {
  var source: [Unicode.Scalar]
  var position = 0
  var line = 1
  private var tokens: [TemplateToken] = []
  /// Whether the next character begins a line, once blanks were dropped.
  private var isLineStarting = true

  /// The tokens of a template, and one of kind `end` behind them.
  ///
  /// - Throws: `TemplateProblem` where a tag, string or number is malformed.
  static func tokens(_ template: String) throws -> [TemplateToken] {
    var lexer = TemplateLexer(source: normalized(template))
    try lexer.run()
    return lexer.tokens
  }

  private init(source: [Unicode.Scalar]) { self.source = source }

  /// Line feeds for all line ends, without one at the very end.
  private static func normalized(_ template: String) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(template.utf8.count)
    var wasReturn = false
    for scalar in template.unicodeScalars {
      if !(wasReturn && scalar == "\n") { result.append(scalar == "\r" ? "\n" : scalar) }
      wasReturn = scalar == "\r"
    }
    if result.last == "\n" { result.removeLast() }
    return result
  }

  private mutating func run() throws {
    guard source.count <= TemplateLimits.source else {
      throw TemplateProblem("the template is longer than \(TemplateLimits.source) characters")
    }
    while let start = nextTag() {
      let tag = source[start + 1]
      let end = rawBegin(at: start)
      let sign = scalar(start + 2)
      data(upTo: start, sign: sign, isVariable: tag == "{")
      if let end {
        move(to: end)
        try raw(from: start)
        continue
      }
      let begin = line
      move(to: start + (sign == "-" || sign == "+" ? 3 : 2))
      switch tag {
      case "#": try comment(begin)
      case "%":
        add(.blockBegin, line: begin)
        try inside(isBlock: true, begin)
      default:
        add(.variableBegin, line: begin)
        try inside(isBlock: false, begin)
      }
    }
    let rest = source.count
    if position < rest { add(.data(text(position..<rest))) }
    move(to: rest)
    add(.end)
  }

  /// The next `{{`, `{%` or `{#`.
  private func nextTag() -> Int? {
    var index = position
    while index + 1 < source.count {
      if source[index] == "{", "{%#".unicodeScalars.contains(source[index + 1]) { return index }
      index += 1
    }
    return nil
  }

  /// The text in front of a tag, without the blanks that the tag drops.
  private mutating func data(upTo end: Int, sign: Unicode.Scalar?, isVariable: Bool) {
    var kept = end
    if sign == "-" {
      while kept > position, PythonText.isSpace(source[kept - 1]) { kept -= 1 }
    } else if sign != "+" && !isVariable {
      var start = end
      while start > position, source[start - 1] != "\n" { start -= 1 }
      let beginsLine = start > position || isLineStarting
      if beginsLine, source[start..<end].allSatisfy(PythonText.isSpace) { kept = start }
    }
    if kept > position { add(.data(text(position..<kept))) }
    move(to: end)
  }

  /// The end of a `{% raw %}` tag that begins at `start`, if one does.
  private func rawBegin(at start: Int) -> Int? {
    guard source[start + 1] == "%" else { return nil }
    var index = start + 2
    if let sign = scalar(index), sign == "-" || sign == "+" { index += 1 }
    guard let word = word("raw", from: index) else { return nil }
    if matches("-%}", at: word) { return skipSpace(word + 3) }
    return matches("%}", at: word) ? word + 2 : nil
  }

  /// Text up to `{% endraw %}`.
  private mutating func raw(from start: Int) throws {
    let begin = line
    isLineStarting = position > 0 && source[position - 1] == "\n"
    var index = position
    while index + 1 < source.count {
      if matches("{%", at: index) {
        let sign = scalar(index + 2)
        let hasSign = sign == "-" || sign == "+"
        if let word = word("endraw", from: index + (hasSign ? 3 : 2)), let end = blockEnd(at: word)
        {
          data(upTo: index, sign: sign, isVariable: false)
          move(to: end)
          return
        }
      }
      index += 1
    }
    throw TemplateProblem("'{% raw %}' has no '{% endraw %}'", line: begin)
  }

  /// Behind a word with blanks around it.
  private func word(_ word: String, from start: Int) -> Int? {
    let index = skipSpace(start)
    return matches(word, at: index) ? skipSpace(index + word.count) : nil
  }

  private mutating func comment(_ begin: Int) throws {
    var index = position
    while index + 1 < source.count, !matches("#}", at: index) { index += 1 }
    guard index + 1 < source.count else {
      throw TemplateProblem("the comment has no end: add '#}'", line: begin)
    }
    let sign = index > position ? source[index - 1] : " "
    var end = index + 2
    if sign == "-" {
      end = skipSpace(end)
    } else if sign != "+", scalar(end) == "\n" {
      end += 1
    }
    move(to: end)
  }

  /// Behind a `%}` at `index`, with the blanks that it drops.
  private func blockEnd(at index: Int) -> Int? {
    if matches("-%}", at: index) { return skipSpace(index + 3) }
    if matches("+%}", at: index) { return index + 3 }
    guard matches("%}", at: index) else { return nil }
    return scalar(index + 2) == "\n" ? index + 3 : index + 2
  }

  private func variableEnd(at index: Int) -> Int? {
    if matches("-}}", at: index) { return skipSpace(index + 3) }
    return matches("}}", at: index) ? index + 2 : nil
  }

  /// The tokens of a tag, up to its end.
  private mutating func inside(isBlock: Bool, _ begin: Int) throws {
    var open: [Unicode.Scalar] = []
    while position < source.count {
      // Inside brackets, `}}` is two brackets.
      if open.isEmpty, let end = isBlock ? blockEnd(at: position) : variableEnd(at: position) {
        add(isBlock ? .blockEnd : .variableEnd)
        move(to: end)
        return
      }
      if PythonText.isSpace(source[position]) {
        move(to: skipSpace(position))
      } else if let token = try number() ?? name() ?? string() {
        add(token.kind)
        move(to: token.end)
      } else {
        let symbol = try symbol()
        try balance(symbol, &open)
        add(.symbol(symbol))
        move(to: position + symbol.count)
      }
    }
    throw TemplateProblem("the tag has no end: add '\(isBlock ? "%}" : "}}")'", line: begin)
  }

  private func balance(_ symbol: String, _ open: inout [Unicode.Scalar]) throws {
    switch symbol {
    case "(": open.append(")")
    case "[": open.append("]")
    case "{": open.append("}")
    case ")", "]", "}":
      guard let expected = open.popLast() else {
        throw TemplateProblem("unexpected '\(symbol)'", line: line)
      }
      guard String(Character(expected)) == symbol else {
        throw TemplateProblem("unexpected '\(symbol)', expected '\(expected)'", line: line)
      }
    default: break
    }
  }

  private func symbol() throws -> String {
    for symbol in ["//", "**", "==", "!=", ">=", "<="] where matches(symbol, at: position) {
      return symbol
    }
    let scalar = source[position]
    guard "+-/*%~[](){}><=.:|,;".unicodeScalars.contains(scalar) else {
      throw TemplateProblem("unexpected character '\(scalar)'", line: line)
    }
    return String(Character(scalar))
  }

  // MARK: Characters

  func scalar(_ index: Int) -> Unicode.Scalar? {
    source.indices.contains(index) ? source[index] : nil
  }

  func text(_ range: Range<Int>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: source[range])
    return String(view)
  }

  private func matches(_ text: String, at index: Int) -> Bool {
    var index = index
    for expected in text.unicodeScalars {
      guard scalar(index) == expected else { return false }
      index += 1
    }
    return true
  }

  private func skipSpace(_ start: Int) -> Int {
    var index = start
    while index < source.count, PythonText.isSpace(source[index]) { index += 1 }
    return index
  }

  /// Goes on behind what was read.
  private mutating func move(to end: Int) {
    for index in position..<max(position, end) where source[index] == "\n" { line += 1 }
    position = max(position, end)
    isLineStarting = position > 0 && source[position - 1] == "\n"
  }

  private mutating func add(_ kind: TemplateToken.Kind, line: Int? = nil) {
    tokens.append(TemplateToken(kind: kind, line: line ?? self.line))
  }
}
