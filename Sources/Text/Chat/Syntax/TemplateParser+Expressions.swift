/// Expressions, from the loosest binding to the tightest.
extension TemplateParser {
  /// An expression of other expressions, whose depth is bounded: evaluating one takes stack.
  func node(
    _ kind: TemplateExpression.Kind, _ line: Int, _ parts: [TemplateExpression]
  ) throws -> TemplateExpression {
    let depth = 1 + parts.reduce(0) { max($0, $1.depth) }
    guard depth <= TemplateLimits.nesting else {
      throw TemplateProblem(
        "the expression is nested deeper than \(TemplateLimits.nesting) levels", line: line)
    }
    return TemplateExpression(kind: kind, line: line, depth: depth)
  }

  /// One expression, or a tuple of several with commas between them.
  mutating func tuple(
    allowsConditional: Bool = true, endingAt end: String? = nil, allowsEmpty: Bool = false
  ) throws -> TemplateExpression {
    let line = current.line
    var items: [TemplateExpression] = []
    var isTuple = false
    while !isTupleEnd(end) {
      items.append(try allowsConditional ? expression() : nested { try $0.disjunction() })
      guard skip(.symbol(",")) else { break }
      isTuple = true
    }
    if !isTuple, let item = items.first { return item }
    guard isTuple || allowsEmpty else {
      throw problem("unexpected \(current.description), expected an expression")
    }
    return try node(.list(items, isTuple: true), line, items)
  }

  private func isTupleEnd(_ end: String?) -> Bool {
    switch current.kind {
    case .variableEnd, .blockEnd, .symbol(")"): true
    case .name(let name): name == end
    default: false
    }
  }

  /// Any expression: `a if b else c` and what binds tighter.
  mutating func expression() throws -> TemplateExpression {
    try nested { try $0.conditionalExpression() }
  }

  private mutating func conditionalExpression() throws -> TemplateExpression {
    var result = try disjunction()
    while isName("if") {
      let line = take().line
      let condition = try disjunction()
      let otherwise = skip(.name("else")) ? try expression() : nil
      result = try node(
        .conditional(condition: condition, then: result, otherwise: otherwise), line,
        [condition, result] + (otherwise.map { [$0] } ?? []))
    }
    return result
  }

  private mutating func disjunction() throws -> TemplateExpression {
    var left = try conjunction()
    while isName("or") {
      let line = take().line
      let right = try conjunction()
      left = try node(.or(left, right), line, [left, right])
    }
    return left
  }

  private mutating func conjunction() throws -> TemplateExpression {
    var left = try negation()
    while isName("and") {
      let line = take().line
      let right = try negation()
      left = try node(.and(left, right), line, [left, right])
    }
    return left
  }

  private mutating func negation() throws -> TemplateExpression {
    guard isName("not") else { return try comparison() }
    let line = take().line
    let value = try nested { try $0.negation() }
    return try node(.not(value), line, [value])
  }

  private mutating func comparison() throws -> TemplateExpression {
    let line = current.line
    let first = try sum()
    var rest: [(operation: TemplateExpression.Comparison, value: TemplateExpression)] = []
    while let operation = comparisonOperation() { rest.append((operation, try sum())) }
    if rest.isEmpty { return first }
    return try node(.comparison(first, rest), line, [first] + rest.map(\.value))
  }

  private mutating func comparisonOperation() -> TemplateExpression.Comparison? {
    switch current.kind {
    case .symbol(let symbol):
      guard let operation = TemplateExpression.Comparison(rawValue: symbol) else { return nil }
      take()
      return operation
    case .name("in"):
      take()
      return .contained
    case .name("not") where following.kind == .name("in"):
      take()
      take()
      return .notContained
    default: return nil
    }
  }

  private mutating func sum() throws -> TemplateExpression {
    try arithmetic(["+", "-"]) { try $0.concatenation() }
  }

  private mutating func concatenation() throws -> TemplateExpression {
    let line = current.line
    var parts = [try product()]
    while skip(.symbol("~")) { parts.append(try product()) }
    return parts.count == 1 ? parts[0] : try node(.concatenation(parts), line, parts)
  }

  private mutating func product() throws -> TemplateExpression {
    try arithmetic(["*", "/", "//", "%"]) { try $0.power() }
  }

  private mutating func power() throws -> TemplateExpression {
    try arithmetic(["**"]) { try $0.unary() }
  }

  /// Operations that bind alike, from left to right.
  private mutating func arithmetic(
    _ symbols: [String], _ part: (inout TemplateParser) throws -> TemplateExpression
  ) throws -> TemplateExpression {
    var left = try part(&self)
    while case .symbol(let symbol) = current.kind, symbols.contains(symbol),
      let operation = TemplateExpression.Arithmetic(rawValue: symbol)
    {
      let line = take().line
      let right = try part(&self)
      left = try node(.arithmetic(operation, left, right), line, [left, right])
    }
    return left
  }

  /// A sign binds tighter than a filter: `-1 | abs` is 1.
  private mutating func unary(allowsFilter: Bool = true) throws -> TemplateExpression {
    let line = current.line
    var value: TemplateExpression
    if skip(.symbol("-")) {
      let operand = try nested { try $0.unary(allowsFilter: false) }
      value = try node(.negative(operand), line, [operand])
    } else if skip(.symbol("+")) {
      let operand = try nested { try $0.unary(allowsFilter: false) }
      value = try node(.positive(operand), line, [operand])
    } else {
      value = try primary()
    }
    value = try postfix(value)
    return allowsFilter ? try filtered(value) : value
  }

  mutating func primary() throws -> TemplateExpression {
    let line = current.line
    func literal(_ value: TemplateValue) throws -> TemplateExpression {
      try node(.literal(value), line, [])
    }
    switch current.kind {
    case .name(let name):
      take()
      switch name {
      case "true", "True": return try literal(.bool(true))
      case "false", "False": return try literal(.bool(false))
      case "none", "None": return try literal(.null)
      default:
        note(name)
        return try node(.name(name), line, [])
      }
    case .string(var text):
      take()
      while case .string(let more) = current.kind {
        text += more
        take()
      }
      return try literal(.string(text))
    case .integer(let value):
      take()
      return try literal(.integer(value))
    case .float(let value):
      take()
      return try literal(.float(value))
    case .symbol("("):
      take()
      let value = try nested { try $0.tuple(allowsEmpty: true) }
      try expect(.symbol(")"))
      return value
    case .symbol("["): return try list()
    case .symbol("{"): return try mapping()
    default: throw problem("unexpected \(current.description), expected an expression")
    }
  }

  private mutating func list() throws -> TemplateExpression {
    let line = take().line
    var items: [TemplateExpression] = []
    while !isSymbol("]") {
      items.append(try expression())
      guard skip(.symbol(",")) else { break }
    }
    try expect(.symbol("]"))
    return try node(.list(items, isTuple: false), line, items)
  }

  private mutating func mapping() throws -> TemplateExpression {
    let line = take().line
    var items: [(key: TemplateExpression, value: TemplateExpression)] = []
    while !isSymbol("}") {
      let key = try expression()
      try expect(.symbol(":"))
      items.append((key, try expression()))
      guard skip(.symbol(",")) else { break }
    }
    try expect(.symbol("}"))
    return try node(.mapping(items), line, items.flatMap { [$0.key, $0.value] })
  }
}
