import Foundation

/// Runs the statements of a template.
///
/// One evaluator renders one text. Its budget of work, of nesting and of text bounds what any
/// template can cost.
final class TemplateEvaluator {
  struct Macro {
    let definition: TemplateMacro
    let scope: TemplateScope
  }

  /// A loop that runs.
  struct RunningLoop {
    let statement: TemplateStatement.Loop
    /// The scope around it.
    let scope: TemplateScope
    /// How many loops around it called it.
    let depth: Int
    /// What `loop.changed` was told last.
    var seen: [TemplateValue]?
  }

  enum Flow {
    case goesOn
    case breaksLoop
    case continuesLoop
  }

  let now: Date
  var scope: TemplateScope
  /// The macros so far, by number.
  var macros: [Macro] = []
  /// The namespaces so far, by number.
  var namespaces: [TemplateNamespace] = []
  /// What the iterators so far have still to give, by number.
  private var iterators: [ArraySlice<TemplateValue>] = []
  /// What `cycler` and `joiner` made so far, by number.
  var counters: [TemplateCounter] = []
  /// The loops that run, the outermost first.
  var loops: [RunningLoop] = []
  var line = 1
  private var output = ""
  private var work = 0
  private var calls = 0

  private init(_ variables: [String: TemplateValue], now: Date) {
    scope = TemplateScope(in: nil, variables)
    self.now = now
  }

  /// The text of a template.
  ///
  /// - Throws: `TemplateProblem` with its line.
  static func render(
    _ statements: [TemplateStatement], variables: [String: TemplateValue], now: Date
  ) throws -> String {
    let evaluator = TemplateEvaluator(variables, now: now)
    do {
      try evaluator.spend(variables.values.reduce(0) { $0 + $1.weight })
      _ = try evaluator.run(statements)
    } catch var problem as TemplateProblem {
      problem.line = problem.line ?? evaluator.line
      throw problem
    }
    return evaluator.output
  }

  // MARK: Limits

  /// Accounts for work.
  func spend(_ units: Int) throws {
    // However much more than the limit it is.
    work += min(units, TemplateLimits.work + 1)
    guard work <= TemplateLimits.work else {
      throw TemplateProblem("the template takes too many steps")
    }
  }

  /// A text, if it is short enough.
  func text(_ text: String) throws -> TemplateValue {
    try checkLength(text.utf8.count)
    return .string(text)
  }

  /// Accounts for a text that is to be made.
  func checkLength(_ bytes: Int) throws {
    guard bytes <= TemplateLimits.text else { throw TemplateLimits.tooLong }
    try spend(bytes / 16)
  }

  /// What a value looks like in a text.
  func printed(_ value: TemplateValue) throws -> String {
    // A value's weight bounds what printing it costs.
    guard value.weight <= TemplateLimits.text / 16 else { throw TemplateLimits.tooLong }
    let text = try value.text ?? (value.isUndefined ? "" : representation(of: value))
    try checkLength(text.utf8.count)
    return text
  }

  /// What a value looks like in a list that is printed: Python's `repr`.
  func representation(of value: TemplateValue) throws -> String {
    var printer = TemplatePrinter(namespaces: namespaces, macros: macros.map(\.definition.name))
    try printer.append(value)
    return printer.text
  }

  /// Does something one level deeper.
  func nested<T>(_ body: () throws -> T) throws -> T {
    calls += 1
    defer { calls -= 1 }
    guard calls <= TemplateLimits.calls else {
      throw TemplateProblem("macros call each other too deeply")
    }
    try spend(1)
    return try body()
  }

  /// What statements print, instead of printing it.
  func captured(_ statements: [TemplateStatement]) throws -> String {
    try captured { _ = try run(statements) }
  }

  /// What something prints, instead of printing it.
  func captured(_ body: () throws -> Void) throws -> String {
    let before = output
    output = ""
    defer { output = before }
    try body()
    return output
  }

  /// Runs statements whose variables are gone behind them.
  func inScope<T>(of parent: TemplateScope? = nil, _ body: () throws -> T) throws -> T {
    let before = scope
    scope = TemplateScope(in: parent ?? before)
    defer { scope = before }
    return try body()
  }

  private func print(_ text: String) throws {
    try checkLength(text.utf8.count)
    output += text
    guard output.utf8.count <= TemplateLimits.text else {
      throw TemplateProblem("the text is longer than \(TemplateLimits.text) bytes")
    }
  }

  // MARK: Statements

  private func run(_ statements: [TemplateStatement]) throws -> Flow {
    for statement in statements {
      line = statement.line
      let flow = try nested { try run(statement) }
      if flow != .goesOn { return flow }
    }
    return .goesOn
  }

  private func run(_ statement: TemplateStatement) throws -> Flow {
    switch statement.kind {
    case .text(let text): try print(text)
    case .output(let expression): try print(printed(evaluate(expression)))
    case .set(let target, let value): try assign(evaluate(value), to: target)
    case .capture(let target, let filters, let body):
      let text = try inScope { try captured(body) }
      try assign(filtered(text, filters), to: target)
    case .filtered(let filters, let body):
      let text = try inScope { try captured(body) }
      try print(printed(filtered(text, filters)))
    case .conditional(let branches, let otherwise):
      for branch in branches where try evaluate(branch.condition).isTrue {
        return try run(branch.body)
      }
      return try run(otherwise)
    case .loop(let loop): return try run(loop)
    case .macro(let definition):
      macros.append(Macro(definition: definition, scope: scope))
      scope[definition.name] = .function(.macro(macros.count - 1))
    case .with(let values, let body):
      let evaluated = try values.map { try evaluate($0.value) }
      return try inScope {
        for (index, value) in evaluated.enumerated() { try assign(value, to: values[index].target) }
        return try run(body)
      }
    case .generation(let body): return try inScope { try run(body) }
    case .callBlock(let call, let caller): try print(printed(evaluate(call, caller: caller)))
    case .breakLoop: return .breaksLoop
    case .continueLoop: return .continuesLoop
    }
    return .goesOn
  }

  private func filtered(
    _ text: String, _ filters: [TemplateExpression.FilterCall]
  ) throws -> TemplateValue {
    try filters.reduce(.string(text)) { try apply($1, to: $0) }
  }

  private func run(_ loop: TemplateStatement.Loop) throws -> Flow {
    try run(loop, over: evaluate(loop.iterable), depth: 0)
  }

  /// Runs a loop over a value.
  ///
  /// - Parameter depth: How many loops around it called it.
  func run(
    _ loop: TemplateStatement.Loop, over iterable: TemplateValue, depth: Int
  ) throws -> Flow {
    var items = try elements(of: iterable)
    try spend(items.count)
    if let condition = loop.condition {
      items = try items.filter { item in
        try inScope {
          try assign(item, to: loop.target)
          return try evaluate(condition).isTrue
        }
      }
    }
    if items.isEmpty { return try inScope { try run(loop.otherwise) } }
    let list = try TemplateList(items)
    loops.append(RunningLoop(statement: loop, scope: scope, depth: depth))
    defer { loops.removeLast() }
    for (index, item) in items.enumerated() {
      let flow = try inScope {
        scope["loop"] = .loop(
          TemplateLoop(items: list, index: index, depth: depth, number: loops.count - 1))
        try assign(item, to: loop.target)
        return try run(loop.body)
      }
      if flow == .breaksLoop { break }
    }
    return .goesOn
  }

  private func assign(_ value: TemplateValue, to target: TemplateTarget) throws {
    switch target {
    case .name(let name): scope[name] = value
    case .attribute(let name, let attribute):
      guard case .namespace(let number) = scope[name] else {
        throw TemplateProblem("'\(name)' is no namespace, so nothing can be assigned to its parts")
      }
      try namespaces[number].set(attribute, value)
    case .tuple(let targets):
      let values = try elements(of: value)
      guard values.count == targets.count else {
        throw TemplateProblem("\(values.count) values can't be assigned to \(targets.count) names")
      }
      for (target, value) in zip(targets, values) { try assign(value, to: target) }
    }
  }

  /// The elements that a loop over a value visits.
  func elements(of value: TemplateValue) throws -> [TemplateValue] {
    switch value {
    case .undefined: return []
    case .list(let list): return list.elements
    case .mapping(let mapping): return mapping.keys
    case .iterator(let number):
      defer { iterators[number] = [] }
      return Array(iterators[number])
    case .string(let text), .markup(let text):
      try spend(text.utf8.count)
      return text.unicodeScalars.map { .string(String(Character($0))) }
    default: throw TemplateProblem("a '\(value.typeName)' can't be iterated")
    }
  }

  /// Something that gives values once.
  func iterator(over elements: [TemplateValue]) -> TemplateValue {
    iterators.append(elements[...])
    return .iterator(iterators.count - 1)
  }

  /// The next value of an iterator, or what a loop over another value visits first.
  func firstElement(of value: TemplateValue) throws -> TemplateValue? {
    guard case .iterator(let number) = value else { return try elements(of: value).first }
    return iterators[number].popFirst()
  }
}
