import Foundation

extension TemplateEvaluator {
  /// The functions that every template has.
  static let globals: Set = [
    "cycler", "dict", "joiner", "namespace", "raise_exception", "range", "strftime_now",
  ]

  static let mappingMethods: Set = ["copy", "get", "items", "keys", "values"]
  static let listMethods: Set = ["copy", "count", "index"]

  func call(
    _ callee: TemplateValue, _ arguments: TemplateArguments, line: Int
  ) throws -> TemplateValue {
    self.line = line
    if case .loop(let loop) = callee { return try callLoop(loop, arguments) }
    guard case .function(let function) = callee else {
      if case .undefined(let message) = callee { throw TemplateProblem(message) }
      throw TemplateProblem("a '\(callee.typeName)' can't be called")
    }
    switch function {
    case .global(let name): return try callGlobal(name, arguments)
    case .macro(let number):
      let result = try callMacro(macros[number], arguments)
      self.line = line
      return result
    case .counter(let number): return try callCounter(number, arguments)
    case .method(.string(let text), let name): return try textMethod(name, text, arguments)
    case .method(.markup(let text), let name): return try markupMethod(name, text, arguments)
    case .method(.list(let list), let name): return try listMethod(name, list, arguments)
    case .method(.mapping(let mapping), let name):
      return try mappingMethod(name, mapping, arguments)
    case .method(.loop(let loop), "changed"): return try hasChanged(loop, arguments)
    case .method(.loop(let loop), _):
      guard !arguments.positional.isEmpty else { throw TemplateProblem("'cycle' needs values") }
      return arguments.positional[loop.index % arguments.positional.count]
    case .method(.function(.counter(let number)), let name): return counterMethod(name, number)
    case .method(let value, let name):
      throw TemplateProblem("a '\(value.typeName)' has no method '\(name)'")
    }
  }

  private func callMacro(_ macro: Macro, _ arguments: TemplateArguments) throws -> TemplateValue {
    let definition = macro.definition
    var arguments = arguments
    var special: [(use: TemplateMacro.Use, value: TemplateValue)] = []
    let names = definition.parameters.map(\.name)
    if definition.uses.contains(.caller), !names.contains("caller") {
      let place = arguments.named.firstIndex { $0.name == "caller" }
      let caller = place.map { arguments.named.remove(at: $0).value }
      special.append((.caller, caller ?? .undefined("No caller defined")))
    }
    if definition.uses.contains(.namedArguments) {
      let others = arguments.named.filter { !names.contains($0.name) }
      arguments.named.removeAll { !names.contains($0.name) }
      let members = others.map { (key: $0.name, value: $0.value) }
      special.append((.namedArguments, .mapping(try TemplateMapping(members))))
    }
    if definition.uses.contains(.arguments) {
      let others = arguments.positional.dropFirst(names.count)
      arguments.positional.removeLast(others.count)
      special.append((.arguments, try .tuple(of: Array(others))))
    }
    let values = try arguments.bound(to: names, of: definition.name)
    return try inScope(of: macro.scope) {
      for (use, value) in special { scope[use.rawValue] = value }
      for (parameter, value) in zip(definition.parameters, values) {
        // A default may speak of the parameters before it.
        scope[parameter.name] =
          try value ?? parameter.defaultValue.map { try evaluate($0) }
          ?? .undefined("parameter '\(parameter.name)' was not provided")
      }
      return .string(try captured(definition.body))
    }
  }

  /// A recursive loop over another value, as a text.
  private func callLoop(
    _ loop: TemplateLoop, _ arguments: TemplateArguments
  ) throws -> TemplateValue {
    guard loops.indices.contains(loop.number), loops[loop.number].statement.isRecursive else {
      throw TemplateProblem("a loop that calls itself has 'recursive' behind what it visits")
    }
    let running = loops[loop.number]
    let value = try arguments.bound(to: ["iterable"], required: 1, of: "loop")[0] ?? .null
    return try inScope(of: running.scope) {
      .string(
        try captured { _ = try run(running.statement, over: value, depth: loop.depth + 1) })
    }
  }

  /// Whether `loop.changed` gets other values than the last time.
  private func hasChanged(
    _ loop: TemplateLoop, _ arguments: TemplateArguments
  ) throws -> TemplateValue {
    guard loops.indices.contains(loop.number) else {
      throw TemplateProblem("'loop.changed' is called behind its loop")
    }
    let values = arguments.positional
    try spend(values.reduce(0) { $0 + $1.weight })
    let seen = loops[loop.number].seen
    if let seen, seen.count == values.count, zip(seen, values).allSatisfy({ $0.equals($1) }) {
      return .bool(false)
    }
    loops[loop.number].seen = values
    return .bool(true)
  }

  private func callGlobal(_ name: String, _ arguments: TemplateArguments) throws -> TemplateValue {
    switch name {
    case "raise_exception":
      let message = try arguments.bound(to: ["message"], of: name)[0]
      throw TemplateProblem(
        "the template refuses this: \(try printed(message ?? .string("no reason given")))")
    case "strftime_now":
      let format = try arguments.bound(to: ["format"], required: 1, of: name)[0]
      guard let format = format?.text else { throw TemplateProblem("'\(name)' takes a format") }
      return try text(Self.formatted(now, format))
    case "range": return try range(arguments)
    case "cycler", "joiner": return try counter(name, arguments)
    case "namespace":
      let attributes = try members(of: arguments, name).map { key, value in
        guard let name = key.text else {
          throw TemplateProblem("a namespace's attributes have names, not a '\(key.typeName)'")
        }
        return (name: name, value: value)
      }
      namespaces.append(try TemplateNamespace(attributes))
      return .namespace(namespaces.count - 1)
    default: return .mapping(try TemplateMapping(members(of: arguments, name)))
    }
  }

  /// What `dict` and `namespace` are given: a mapping or pairs, and values by name.
  private func members(
    of arguments: TemplateArguments, _ name: String
  ) throws -> [(key: TemplateValue, value: TemplateValue)] {
    guard arguments.positional.count <= 1 else {
      throw TemplateProblem("'\(name)' takes at most 1 value without a name")
    }
    var members: [(key: TemplateValue, value: TemplateValue)] = []
    if let mapping = arguments.positional.first?.mapping {
      members = mapping.members
    } else if let value = arguments.positional.first {
      members = try elements(of: value).map { pair in
        let pair = try elements(of: pair)
        guard pair.count == 2 else { throw TemplateProblem("'\(name)' takes pairs") }
        return (pair[0], pair[1])
      }
    }
    try spend(members.count)
    return members + arguments.named.map { (key: .string($0.name), value: $0.value) }
  }

  private func range(_ arguments: TemplateArguments) throws -> TemplateValue {
    let numbers = try arguments.positional.map { value in
      guard let number = value.integer else {
        throw TemplateProblem("'range' takes whole numbers, not a '\(value.typeName)'")
      }
      return number
    }
    guard (1...3).contains(numbers.count), arguments.named.isEmpty else {
      throw TemplateProblem("'range' takes 1 to 3 whole numbers")
    }
    let (start, stop) = numbers.count == 1 ? (0, numbers[0]) : (numbers[0], numbers[1])
    let step = numbers.count == 3 ? numbers[2] : 1
    guard step != 0 else { throw TemplateProblem("the step of a 'range' can't be zero") }
    let distance = try checked(
      step > 0 ? stop.subtractingReportingOverflow(start) : start.subtractingReportingOverflow(stop)
    )
    let count = distance <= 0 ? 0 : (distance - 1) / Int(clamping: step.magnitude) + 1
    guard count <= TemplateLimits.range else {
      throw TemplateProblem("a 'range' holds more than \(TemplateLimits.range) numbers")
    }
    try spend(count)
    return try .list(
      of: (0..<count).map { .integer(start + $0 * step) },
      kind: .range(start: start, stop: stop, step: step))
  }

  private func mappingMethod(
    _ name: String, _ mapping: TemplateMapping, _ arguments: TemplateArguments
  ) throws -> TemplateValue {
    try spend(mapping.keys.count)
    if name == "get" {
      let values = try arguments.bound(to: ["key", "default"], required: 1, of: name)
      let key = values[0].flatMap { $0.isUndefined ? nil : $0 }
      return try key.flatMap { mapping[try TemplateKey($0)] } ?? values[1] ?? .null
    }
    guard arguments.isEmpty else { throw TemplateProblem("'\(name)' takes no arguments") }
    switch name {
    case "items": return try .list(of: mapping.pairs, kind: .items)
    case "keys": return try .list(of: mapping.keys, kind: .keys)
    case "values": return try .list(of: mapping.values, kind: .values)
    default: return .mapping(mapping)
    }
  }

  private func listMethod(
    _ name: String, _ list: TemplateList, _ arguments: TemplateArguments
  ) throws -> TemplateValue {
    if name == "copy" { return .list(list) }
    guard let value = try arguments.bound(to: ["value"], required: 1, of: name)[0] else {
      return .null
    }
    try spend(list.weight)
    if name == "count" { return .integer(list.elements.count { $0.equals(value) }) }
    guard let place = list.elements.firstIndex(where: { $0.equals(value) }) else {
      throw TemplateProblem("the value is not in the \(list.isTuple ? "tuple" : "list")")
    }
    return .integer(place)
  }

  /// A time as C's and Python's `strftime` print it, in local time.
  private static func formatted(_ date: Date, _ format: String) -> String {
    guard !format.isEmpty, format.utf8.count <= 1000 else { return "" }
    var seconds = time_t(date.timeIntervalSince1970)
    var parts = tm()
    localtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 16_384)
    let count = strftime(&buffer, buffer.count, format, &parts)
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension TemplateMapping {
  /// The members as tuples of key and value.
  var pairs: [TemplateValue] {
    get throws { try members.map { try .tuple(of: [$0.key, $0.value]) } }
  }
}
