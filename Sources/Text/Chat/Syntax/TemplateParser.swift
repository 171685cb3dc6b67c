/// Makes statements of tokens, by the grammar of Jinja2's `parser.py` (3.1.6).
struct TemplateParser {
  private let tokens: [TemplateToken]
  private var index = 0
  /// Statements and expressions around the present one.
  private var nesting = 0
  /// Loops around the present statement.
  private var loops = 0
  /// The special names that the macros around use, the innermost last.
  private var uses: [Set<TemplateMacro.Use>] = []

  /// The statements of a template.
  ///
  /// - Throws: `TemplateProblem` with the line where the template can't be understood.
  static func statements(_ template: String) throws -> [TemplateStatement] {
    var parser = TemplateParser(tokens: try TemplateLexer.tokens(template))
    return try parser.body(until: [], of: "the template", line: 1)
  }

  private init(tokens: [TemplateToken]) { self.tokens = tokens }

  // MARK: Tokens

  var current: TemplateToken { tokens[index] }

  var following: TemplateToken { tokens[min(index + 1, tokens.count - 1)] }

  @discardableResult
  mutating func take() -> TemplateToken {
    let token = current
    if token.kind != .end { index += 1 }
    return token
  }

  func isSymbol(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }

  func isName(_ name: String) -> Bool { current.kind == .name(name) }

  /// Takes the next token if it is this one.
  mutating func skip(_ kind: TemplateToken.Kind) -> Bool {
    guard current.kind == kind else { return false }
    take()
    return true
  }

  mutating func expect(_ kind: TemplateToken.Kind) throws {
    guard skip(kind) else {
      let expected = TemplateToken(kind: kind, line: 0).description
      throw problem("unexpected \(current.description), expected \(expected)")
    }
  }

  mutating func expectName() throws -> String {
    guard case .name(let name) = current.kind else {
      throw problem("unexpected \(current.description), expected a name")
    }
    take()
    return name
  }

  func problem(_ message: String) -> TemplateProblem {
    TemplateProblem(message, line: current.line)
  }

  /// Parses something that stands inside something else.
  mutating func nested<T>(_ parse: (inout TemplateParser) throws -> T) throws -> T {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= TemplateLimits.nesting else {
      throw problem("the template is nested deeper than \(TemplateLimits.nesting) levels")
    }
    return try parse(&self)
  }

  // MARK: Statements

  /// Statements up to a block that begins with one of `ends`, which is left to be read.
  private mutating func body(
    until ends: [String], of name: String, line: Int
  ) throws -> [TemplateStatement] {
    var statements: [TemplateStatement] = []
    while current.kind != .end {
      let line = current.line
      switch take().kind {
      case .data(let text): statements.append(TemplateStatement(kind: .text(text), line: line))
      case .variableBegin:
        let value = try tuple()
        try expect(.variableEnd)
        statements.append(TemplateStatement(kind: .output(value), line: line))
      default:
        if case .name(let name) = current.kind, ends.contains(name) { return statements }
        let kind = try nested { try $0.statement() }
        try expect(.blockEnd)
        statements.append(TemplateStatement(kind: kind, line: line))
      }
    }
    guard ends.isEmpty else {
      throw TemplateProblem("\(name) has no '{% \(ends[ends.count - 1]) %}'", line: line)
    }
    return statements
  }

  /// The body of a statement whose own tag has been read, and the name that ended it.
  private mutating func body(
    _ name: String, until ends: [String]
  ) throws -> (statements: [TemplateStatement], end: String) {
    let line = current.line
    try expect(.blockEnd)
    let statements = try body(until: ends, of: "'\(name)'", line: line)
    return (statements, try expectName())
  }

  private mutating func statement() throws -> TemplateStatement.Kind {
    let line = current.line
    let name = try expectName()
    switch name {
    case "set": return try set()
    case "if": return try conditional()
    case "for": return try loop()
    case "macro": return .macro(try macro(try expectName(), hasParameters: true, in: name))
    case "call": return try callBlock()
    case "with": return try with()
    case "filter":
      let filters = try filterCalls()
      return .filtered(filters, try body(name, until: ["endfilter"]).statements)
    case "generation": return .generation(try body(name, until: ["endgeneration"]).statements)
    case "break", "continue":
      guard loops > 0 else { throw TemplateProblem("'\(name)' stands outside a loop", line: line) }
      return name == "break" ? .breakLoop : .continueLoop
    default:
      let known = ["block", "do", "extends", "import", "include", "autoescape", "from"]
      throw TemplateProblem(
        known.contains(name)
          ? "the statement '\(name)' is not supported" : "there is no statement '\(name)'",
        line: line)
    }
  }

  private mutating func set() throws -> TemplateStatement.Kind {
    let target = try target(allowsAttribute: true)
    if skip(.symbol("=")) { return .set(target, try tuple()) }
    let filters = isSymbol("|") ? try filterCalls() : []
    return .capture(target, filters, try body("set", until: ["endset"]).statements)
  }

  private mutating func conditional() throws -> TemplateStatement.Kind {
    var branches: [(condition: TemplateExpression, body: [TemplateStatement])] = []
    while true {
      let condition = try tuple(allowsConditional: false)
      let part = try body("if", until: ["elif", "else", "endif"])
      branches.append((condition, part.statements))
      if part.end == "endif" { return .conditional(branches, otherwise: []) }
      if part.end == "else" {
        return .conditional(branches, otherwise: try body("else", until: ["endif"]).statements)
      }
    }
  }

  private mutating func loop() throws -> TemplateStatement.Kind {
    let target = try target(allowsAttribute: false)
    try expect(.name("in"))
    let iterable = try tuple(allowsConditional: false, endingAt: "recursive")
    let condition = skip(.name("if")) ? try expression() : nil
    let isRecursive = skip(.name("recursive"))
    loops += 1
    let part = try body("for", until: ["else", "endfor"])
    loops -= 1
    let otherwise = part.end == "else" ? try body("else", until: ["endfor"]).statements : []
    return .loop(
      TemplateStatement.Loop(
        target: target, iterable: iterable, condition: condition, body: part.statements,
        otherwise: otherwise, isRecursive: isRecursive))
  }

  /// A macro whose name has been read, or the body of a call block, which is one.
  private mutating func macro(
    _ name: String, hasParameters: Bool, in tag: String,
    call: ((inout TemplateParser) throws -> Void)? = nil
  ) throws -> TemplateMacro {
    // A macro ends no loop that it is written in.
    let around = loops
    loops = 0
    uses.append([])
    let parameters = hasParameters ? try self.parameters() : []
    try call?(&self)
    let body = try body(tag, until: ["end" + tag]).statements
    loops = around
    let used = uses.removeLast()
    if !uses.isEmpty { uses[uses.count - 1].formUnion(used) }
    return TemplateMacro(name: name, parameters: parameters, body: body, uses: used)
  }

  private mutating func parameters() throws -> [TemplateMacro.Parameter] {
    var parameters: [TemplateMacro.Parameter] = []
    try expect(.symbol("("))
    while !isSymbol(")") {
      if !parameters.isEmpty { try expect(.symbol(",")) }
      let parameter = try expectName()
      let value = skip(.symbol("=")) ? try expression() : nil
      if value == nil, parameters.contains(where: { $0.defaultValue != nil }) {
        throw problem("the parameter '\(parameter)' has no default value, but one before it has")
      }
      parameters.append((parameter, value))
    }
    try expect(.symbol(")"))
    return parameters
  }

  /// Notes that a macro around uses a special name.
  mutating func note(_ name: String) {
    guard let use = TemplateMacro.Use(rawValue: name), !uses.isEmpty else { return }
    uses[uses.count - 1].insert(use)
  }

  private mutating func callBlock() throws -> TemplateStatement.Kind {
    var call: TemplateExpression?
    let caller = try macro("caller", hasParameters: isSymbol("("), in: "call") { parser in
      let expression = try parser.expression()
      guard case .call = expression.kind else { throw parser.problem("'call' needs a call") }
      call = expression
    }
    guard let call else { throw problem("'call' needs a call") }
    return .callBlock(call, caller)
  }

  private mutating func with() throws -> TemplateStatement.Kind {
    var values: [(target: TemplateTarget, value: TemplateExpression)] = []
    while current.kind != .blockEnd {
      if !values.isEmpty { try expect(.symbol(",")) }
      let target = try target(allowsAttribute: false)
      try expect(.symbol("="))
      values.append((target, try expression()))
    }
    return .with(values, try body("with", until: ["endwith"]).statements)
  }

  /// One name, or several with commas between them.
  private mutating func target(allowsAttribute: Bool) throws -> TemplateTarget {
    var targets: [TemplateTarget] = []
    var isTuple = false
    repeat {
      if !targets.isEmpty, isName("in") || isSymbol("=") || isSymbol(")") { break }
      targets.append(try singleTarget(allowsAttribute: allowsAttribute))
      isTuple = isTuple || isSymbol(",")
    } while skip(.symbol(","))
    return isTuple ? .tuple(targets) : targets[0]
  }

  private mutating func singleTarget(allowsAttribute: Bool) throws -> TemplateTarget {
    if skip(.symbol("(")) {
      let target = try nested { try $0.target(allowsAttribute: allowsAttribute) }
      try expect(.symbol(")"))
      return target
    }
    let name = try expectName()
    if ["true", "false", "none", "True", "False", "None"].contains(name) {
      throw problem("can't assign to '\(name)'")
    }
    if allowsAttribute, skip(.symbol(".")) { return .attribute(of: name, try expectName()) }
    return .name(name)
  }
}
