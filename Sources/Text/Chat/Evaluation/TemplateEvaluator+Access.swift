/// Attributes, items and slices, by the rules of Jinja's sandboxed environment.
extension TemplateEvaluator {
  /// `value.name`: an attribute, or else an item.
  func attribute(_ name: String, of value: TemplateValue) throws -> TemplateValue {
    if case .undefined(let message) = value { throw TemplateProblem(message) }
    if let found = ownAttribute(name, of: value) { return found }
    if let member = value.mapping?[name] { return member }
    return missing(name, of: value)
  }

  /// `value[key]`: an item, or else an attribute.
  func item(_ key: TemplateValue, of value: TemplateValue) throws -> TemplateValue {
    if case .undefined(let message) = value { throw TemplateProblem(message) }
    switch (value, key) {
    case (.mapping(let mapping), _):
      if let key = try? TemplateKey(key), let member = mapping[key] { return member }
    case (.list(let list), _) where list.isSequence:
      if let index = key.integer.flatMap({ Self.index($0, count: list.elements.count) }) {
        return list.elements[index]
      }
    case (.string(let text), _), (.markup(let text), _):
      try spend(text.utf8.count / 16)
      let scalars = text.unicodeScalars
      if let index = key.integer.flatMap({ Self.index($0, count: scalars.count) }) {
        let scalar = scalars[scalars.index(scalars.startIndex, offsetBy: index)]
        return like(value, String(Character(scalar)))
      }
    default: break
    }
    guard let name = key.text else { return .undefined("a '\(value.typeName)' has no such item") }
    return ownAttribute(name, of: value) ?? missing(name, of: value)
  }

  private func macroAttribute(_ name: String, _ macro: TemplateMacro) -> TemplateValue? {
    switch name {
    case "name": .string(macro.name)
    case "caller": .bool(macro.uses.contains(.caller))
    case "catch_kwargs": .bool(macro.uses.contains(.namedArguments))
    case "catch_varargs": .bool(macro.uses.contains(.arguments))
    default: nil
    }
  }

  /// A text that is marked as safe if another is.
  func like(_ value: TemplateValue, _ text: String) -> TemplateValue {
    value.isMarkup ? .markup(text) : .string(text)
  }

  private func missing(_ name: String, of value: TemplateValue) -> TemplateValue {
    .undefined("a '\(value.typeName)' has no attribute '\(name.prefix(60))'")
  }

  /// An index that may count from the end.
  private static func index(_ index: Int, count: Int) -> Int? {
    let index = index < 0 ? index + count : index
    return (0..<count).contains(index) ? index : nil
  }

  private static let mutatingMethods: Set = [
    "append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update",
  ]

  /// What a value has by itself, apart from items.
  private func ownAttribute(_ name: String, of value: TemplateValue) -> TemplateValue? {
    let methods: Set<String>
    switch value {
    case .namespace(let number): return namespaces[number][name]
    case .loop(let loop): return loop.attribute(name)
    case .mapping: methods = Self.mappingMethods
    case .list(let list):
      if list.kind == .group, let place = ["grouper", "list"].firstIndex(of: name) {
        return list.elements[place]
      }
      methods = list.isSequence ? Self.listMethods : []
    case .string, .markup: methods = Self.textMethods
    case .function(.macro(let number)): return macroAttribute(name, macros[number].definition)
    case .function(.counter(let number)): return counterAttribute(name, number)
    default: return nil
    }
    if methods.contains(name) { return .function(.method(value, name)) }
    if value.text == nil, Self.mutatingMethods.contains(name) {
      return .undefined("'\(name)' would change a '\(value.typeName)', which templates must not")
    }
    return nil
  }

  /// `value[start:stop:step]`, by Python's rules.
  ///
  /// - Parameter bounds: start, stop and step; nil where none is given.
  func slice(_ value: TemplateValue, _ bounds: [TemplateValue?]) throws -> TemplateValue {
    if case .undefined(let message) = value { throw TemplateProblem(message) }
    var numbers: [Int?] = []
    for bound in bounds {
      switch bound {
      case nil, .some(.null): numbers.append(nil)
      case .some(let bound):
        guard let number = bound.integer else {
          throw TemplateProblem("a slice's bounds are whole numbers, not '\(bound.typeName)'")
        }
        numbers.append(number)
      }
    }
    let step = numbers[2] ?? 1
    guard step != 0 else { throw TemplateProblem("a slice's step can't be zero") }
    switch value {
    case .list(let list) where list.isSequence:
      try spend(list.elements.count)
      let bounds = Self.bounds(numbers[0], numbers[1], step, count: list.elements.count)
      var kind = list.kind == .group ? .tuple : list.kind
      if case .range(let start, _, let stride) = kind {
        func number(_ index: Int) throws -> Int {
          let distance = try checked(index.multipliedReportingOverflow(by: stride))
          return try checked(start.addingReportingOverflow(distance))
        }
        kind = .range(
          start: try number(bounds.first), stop: try number(bounds.end),
          step: try checked(step.multipliedReportingOverflow(by: stride)))
      }
      return try .list(of: Self.indices(bounds, step).map { list.elements[$0] }, kind: kind)
    case .string(let text), .markup(let text):
      try spend(text.utf8.count)
      let scalars = Array(text.unicodeScalars)
      var result = String.UnicodeScalarView()
      let bounds = Self.bounds(numbers[0], numbers[1], step, count: scalars.count)
      for index in Self.indices(bounds, step) { result.append(scalars[index]) }
      return like(value, String(result))
    default: return .undefined("a '\(value.typeName)' can't be sliced")
    }
  }

  private typealias Bounds = (first: Int, end: Int, count: Int)

  private static func bounds(_ start: Int?, _ stop: Int?, _ step: Int, count: Int) -> Bounds {
    let (lowest, highest) = step > 0 ? (0, count) : (-1, count - 1)
    func bound(_ value: Int?, _ missing: Int) -> Int {
      guard let value else { return missing }
      return min(max(value < 0 ? value + count : value, lowest), highest)
    }
    return (
      bound(start, step > 0 ? lowest : highest), bound(stop, step > 0 ? highest : lowest), count
    )
  }

  private static func indices(_ bounds: Bounds, _ step: Int) -> [Int] {
    // No step beyond the list can matter, and none may overflow.
    let stride = min(max(step, -bounds.count - 1), bounds.count + 1)
    return Array(Swift.stride(from: bounds.first, to: bounds.end, by: stride))
  }
}

extension TemplateLoop {
  /// What the variable `loop` says.
  func attribute(_ name: String) -> TemplateValue? {
    let count = items.elements.count
    switch name {
    case "index": return .integer(index + 1)
    case "index0": return .integer(index)
    case "revindex": return .integer(count - index)
    case "revindex0": return .integer(count - index - 1)
    case "first": return .bool(index == 0)
    case "last": return .bool(index == count - 1)
    case "length": return .integer(count)
    case "depth": return .integer(depth + 1)
    case "depth0": return .integer(depth)
    case "previtem": return index > 0 ? items.elements[index - 1] : .undefined("no previous item")
    case "nextitem":
      return index + 1 < count ? items.elements[index + 1] : .undefined("no next item")
    case "cycle", "changed": return .function(.method(.loop(self), name))
    default: return nil
    }
  }
}
