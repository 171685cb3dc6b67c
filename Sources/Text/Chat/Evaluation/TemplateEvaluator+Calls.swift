import Foundation

extension TemplateEvaluator {
  /// The functions that every template has.
  static let globals: Set = ["dict", "namespace", "raise_exception", "range", "strftime_now"]

  static let mappingMethods: Set = ["copy", "get", "items", "keys", "values"]
  static let listMethods: Set = ["copy", "count", "index"]

  func call(
    _ callee: TemplateValue, _ arguments: TemplateArguments, line: Int
  ) throws -> TemplateValue {
    self.line = line
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
    case .method(.string(let text), let name): return try textMethod(name, text, arguments)
    case .method(.list(let list), let name): return try listMethod(name, list, arguments)
    case .method(.mapping(let mapping), let name):
      return try mappingMethod(name, mapping, arguments)
    case .method(.loop(let loop), _):
      guard !arguments.positional.isEmpty else { throw TemplateProblem("'cycle' needs values") }
      return arguments.positional[loop.index % arguments.positional.count]
    case .method(let value, let name):
      throw TemplateProblem("a '\(value.typeName)' has no method '\(name)'")
    }
  }

  private func callMacro(_ macro: Macro, _ arguments: TemplateArguments) throws -> TemplateValue {
    let definition = macro.definition
    let values = try arguments.bound(to: definition.parameters.map(\.name), of: definition.name)
    return try inScope(of: macro.scope) {
      for (parameter, value) in zip(definition.parameters, values) {
        // A default may speak of the parameters before it.
        scope[parameter.name] =
          try value ?? parameter.defaultValue.map { try evaluate($0) }
          ?? .undefined("parameter '\(parameter.name)' was not provided")
      }
      return .string(try captured(definition.body))
    }
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
    case "namespace":
      var attributes: [String: TemplateValue] = [:]
      for (key, value) in try members(of: arguments, name) { attributes[key] = value }
      namespaces.append(attributes)
      return .namespace(namespaces.count - 1)
    default: return .mapping(try TemplateMapping(members(of: arguments, name)))
    }
  }

  /// What `dict` and `namespace` are given: a mapping or pairs, and values by name.
  private func members(
    of arguments: TemplateArguments, _ name: String
  ) throws -> [(key: String, value: TemplateValue)] {
    guard arguments.positional.count <= 1 else {
      throw TemplateProblem("'\(name)' takes at most 1 value without a name")
    }
    var members: [(key: String, value: TemplateValue)] = []
    if let mapping = arguments.positional.first?.mapping {
      members = mapping.members
    } else if let value = arguments.positional.first {
      members = try elements(of: value).map { pair in
        let pair = try elements(of: pair)
        guard pair.count == 2, let key = pair[0].text else {
          throw TemplateProblem("'\(name)' takes pairs of a text and a value")
        }
        return (key, pair[1])
      }
    }
    try spend(members.count)
    return members + arguments.named.map { (key: $0.name, value: $0.value) }
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
    return try .list(of: (0..<count).map { .integer(start + $0 * step) })
  }

  private func mappingMethod(
    _ name: String, _ mapping: TemplateMapping, _ arguments: TemplateArguments
  ) throws -> TemplateValue {
    try spend(mapping.keys.count)
    if name == "get" {
      let values = try arguments.bound(to: ["key", "default"], required: 1, of: name)
      return values[0]?.text.flatMap { mapping[$0] } ?? values[1] ?? .null
    }
    guard arguments.isEmpty else { throw TemplateProblem("'\(name)' takes no arguments") }
    switch name {
    case "items": return try .list(of: mapping.pairs)
    case "keys": return try .list(of: mapping.keys.map { .string($0) })
    case "values": return try .list(of: mapping.values)
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
    get throws { try members.map { try .tuple(of: [.string($0.key), $0.value]) } }
  }
}
