extension TemplateEvaluator {
  func evaluate(_ expression: TemplateExpression) throws -> TemplateValue {
    line = expression.line
    return try nested { try value(of: expression) }
  }

  /// A call with a macro that it may call.
  func evaluate(_ call: TemplateExpression, caller: TemplateMacro) throws -> TemplateValue {
    line = call.line
    macros.append(Macro(definition: caller, scope: scope))
    let caller = TemplateValue.function(.macro(macros.count - 1))
    guard case .call(let callee, let arguments) = call.kind else { return try evaluate(call) }
    return try nested {
      let callee = try evaluate(callee)
      var arguments = try values(of: arguments)
      arguments.named.append((name: "caller", value: caller))
      return try self.call(callee, arguments, line: call.line)
    }
  }

  private func value(of expression: TemplateExpression) throws -> TemplateValue {
    switch expression.kind {
    case .literal(let value): return value
    case .name(let name): return variable(name)
    case .list(let items, let isTuple):
      return try .list(of: items.map { try evaluate($0) }, kind: isTuple ? .tuple : .list)
    case .mapping(let items): return try mapping(items)
    case .attribute(let value, let name): return try attribute(name, of: evaluate(value))
    case .item(let value, let key):
      let value = try evaluate(value)
      return try item(evaluate(key), of: value)
    case .slice(let value, let start, let stop, let step):
      let value = try evaluate(value)
      let bounds = try [start, stop, step].map { try $0.map { try evaluate($0) } }
      return try slice(value, bounds)
    case .call(let callee, let arguments):
      let callee = try evaluate(callee)
      return try call(callee, values(of: arguments), line: expression.line)
    case .filter(let value, let call): return try apply(call, to: evaluate(value))
    case .test(let value, let name, let arguments):
      let value = try evaluate(value)
      return .bool(try test(name, value, values(of: arguments)))
    case .not(let value): return .bool(try !evaluate(value).isTrue)
    case .and(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? try evaluate(right) : value
    case .or(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? value : try evaluate(right)
    case .conditional(let condition, let then, let otherwise):
      if try evaluate(condition).isTrue { return try evaluate(then) }
      return try otherwise.map { try evaluate($0) }
        ?? .undefined("the condition is false, and there is no 'else'")
    case .negative, .positive, .arithmetic, .concatenation, .comparison:
      return try operation(expression)
    }
  }

  private func operation(_ expression: TemplateExpression) throws -> TemplateValue {
    switch expression.kind {
    case .negative(let value): return try negated(evaluate(value))
    case .positive(let value):
      let value = try evaluate(value)
      guard value.number != nil else { throw unusable(value, "'+'") }
      return value.integer.map { .integer($0) } ?? value
    case .arithmetic(let operation, let left, let right):
      let value = try evaluate(left)
      return try arithmetic(operation, value, evaluate(right))
    case .concatenation(let parts):
      return try text(parts.map { try printed(evaluate($0)) }.joined())
    case .comparison(let first, let rest):
      var left = try evaluate(first)
      for (operation, value) in rest {
        let right = try evaluate(value)
        guard try compare(operation, left, right) else { return .bool(false) }
        left = right
      }
      return .bool(true)
    default: preconditionFailure("no operation")
    }
  }

  private func variable(_ name: String) -> TemplateValue {
    if let value = scope[name] { return value }
    return Self.globals.contains(name)
      ? .function(.global(name)) : .undefined("'\(name)' is undefined")
  }

  private func mapping(
    _ items: [(key: TemplateExpression, value: TemplateExpression)]
  ) throws -> TemplateValue {
    let members = try items.map { item in
      let key = try evaluate(item.key)
      return (key: key, value: try evaluate(item.value))
    }
    return .mapping(try TemplateMapping(members))
  }

  /// The arguments of a call, evaluated.
  func values(of arguments: TemplateExpression.Arguments) throws -> TemplateArguments {
    var values = TemplateArguments(
      positional: try arguments.positional.map { try evaluate($0) },
      named: try arguments.named.map { ($0.name, try evaluate($0.value)) })
    if let more = arguments.unpacked { values.positional += try elements(of: evaluate(more)) }
    if let more = arguments.unpackedNamed {
      let value = try evaluate(more)
      guard let mapping = value.mapping else { throw unusable(value, "'**'") }
      for (key, value) in mapping.members {
        guard let name = key.text, !values.named.contains(where: { $0.name == name }) else {
          throw TemplateProblem("'**' gives names that aren't given already, as texts")
        }
        values.named.append((name, value))
      }
    }
    try spend(values.positional.count + values.named.count)
    return values
  }

  func apply(
    _ call: TemplateExpression.FilterCall, to value: TemplateValue
  ) throws -> TemplateValue {
    let arguments = try values(of: call.arguments)
    line = call.line
    return try filter(call.name, value, arguments)
  }

  /// What is wrong with a value that can't be used so.
  func unusable(_ value: TemplateValue, _ use: String) -> TemplateProblem {
    if case .undefined(let message) = value { return TemplateProblem(message) }
    return TemplateProblem("\(use) is not possible for a '\(value.typeName)'")
  }
}
