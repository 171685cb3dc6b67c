/// What stands behind a value: attributes, items, calls, filters and tests.
extension TemplateParser {
  /// Attributes, items and calls behind a value.
  mutating func postfix(_ value: TemplateExpression) throws -> TemplateExpression {
    var value = value
    while true {
      let line = current.line
      if skip(.symbol(".")) {
        switch take().kind {
        case .name(let name): value = try node(.attribute(value, name), line, [value])
        case .integer(let index):
          let key = try node(.literal(.integer(index)), line, [])
          value = try node(.item(value, key), line, [value])
        default: throw TemplateProblem("expected a name or a number behind '.'", line: line)
        }
      } else if isSymbol("[") {
        value = try subscripted(value)
      } else if isSymbol("(") {
        let arguments = try callArguments()
        value = try node(.call(value, arguments), line, [value] + arguments.values)
      } else {
        return value
      }
    }
  }

  private mutating func subscripted(_ value: TemplateExpression) throws -> TemplateExpression {
    let line = take().line
    func isEnd() -> Bool { isSymbol("]") || isSymbol(":") }
    let start = isEnd() ? nil : try expression()
    guard skip(.symbol(":")) else {
      guard let key = start else { throw problem("expected an expression behind '['") }
      try expect(.symbol("]"))
      return try node(.item(value, key), line, [value, key])
    }
    let stop = isEnd() ? nil : try expression()
    let step = skip(.symbol(":")) && !isEnd() ? try expression() : nil
    try expect(.symbol("]"))
    return try node(
      .slice(value, start: start, stop: stop, step: step), line,
      [value] + [start, stop, step].compactMap { $0 })
  }

  private mutating func callArguments() throws -> TemplateExpression.Arguments {
    var arguments = TemplateExpression.Arguments()
    try expect(.symbol("("))
    while !isSymbol(")") {
      if arguments.unpackedNamed != nil { throw problem("an argument stands behind '**'") }
      if skip(.symbol("**")) {
        arguments.unpackedNamed = try expression()
      } else if skip(.symbol("*")) {
        guard arguments.unpacked == nil else { throw problem("'*' stands twice in a call") }
        arguments.unpacked = try expression()
      } else if case .name(let name) = current.kind, following.kind == .symbol("=") {
        take()
        take()
        arguments.named.append((name, try expression()))
      } else {
        guard arguments.named.isEmpty, arguments.unpacked == nil else {
          throw problem("an argument without a name stands behind one with a name")
        }
        arguments.positional.append(try expression())
      }
      guard skip(.symbol(",")) else { break }
    }
    try expect(.symbol(")"))
    return arguments
  }

  /// Filters, tests and calls behind a value.
  mutating func filtered(_ value: TemplateExpression) throws -> TemplateExpression {
    var value = value
    while true {
      let line = current.line
      if skip(.symbol("|")) {
        let call = try filterCall()
        value = try node(.filter(value, call), line, [value] + call.arguments.values)
      } else if skip(.name("is")) {
        value = try test(value, line)
      } else if isSymbol("(") {
        let arguments = try callArguments()
        value = try node(.call(value, arguments), line, [value] + arguments.values)
      } else {
        return value
      }
    }
  }

  private mutating func filterCall() throws -> TemplateExpression.FilterCall {
    let line = current.line
    let name = try expectName()
    let arguments = isSymbol("(") ? try callArguments() : TemplateExpression.Arguments()
    return TemplateExpression.FilterCall(name: name, arguments: arguments, line: line)
  }

  /// Filters with bars between them; the first may have one in front.
  mutating func filterCalls() throws -> [TemplateExpression.FilterCall] {
    _ = skip(.symbol("|"))
    var calls = [try filterCall()]
    while skip(.symbol("|")) { calls.append(try filterCall()) }
    return calls
  }

  private mutating func test(
    _ value: TemplateExpression, _ line: Int
  ) throws -> TemplateExpression {
    let isNegated = skip(.name("not"))
    let name = try expectName()
    var arguments = TemplateExpression.Arguments()
    switch current.kind {
    case .symbol("("): arguments = try callArguments()
    case .name("else"), .name("or"), .name("and"): break
    case .name("is"): throw problem("tests can't be chained with 'is'")
    case .name, .string, .integer, .float, .symbol("["), .symbol("{"):
      // An argument may follow without brackets: `x is divisibleby 3`. A keyword is none.
      if isName("if") || isName("in") || isName("not") { break }
      arguments.positional = [try postfix(primary())]
    default: break
    }
    let result = try node(.test(value, name, arguments), line, [value] + arguments.values)
    return isNegated ? try node(.not(result), line, [result]) : result
  }
}

extension TemplateExpression.Arguments {
  /// All of them, for their depth.
  var values: [TemplateExpression] {
    positional + named.map(\.value) + [unpacked, unpackedNamed].compactMap { $0 }
  }
}
