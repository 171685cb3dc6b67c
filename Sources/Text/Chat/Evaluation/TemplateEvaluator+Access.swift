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
    case (.mapping(let mapping), .string(let key)):
      if let member = mapping[key] { return member }
    case (.list(let list), _):
      if let index = key.integer.flatMap({ Self.index($0, count: list.elements.count) }) {
        return list.elements[index]
      }
    case (.string(let text), _):
      try spend(text.utf8.count / 16)
      let scalars = text.unicodeScalars
      if let index = key.integer.flatMap({ Self.index($0, count: scalars.count) }) {
        let scalar = scalars[scalars.index(scalars.startIndex, offsetBy: index)]
        return .string(String(Character(scalar)))
      }
    default: break
    }
    guard let name = key.text else { return .undefined("a '\(value.typeName)' has no such item") }
    return ownAttribute(name, of: value) ?? missing(name, of: value)
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
    case .list: methods = Self.listMethods
    case .string: methods = Self.textMethods
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
    case .list(let list):
      try spend(list.elements.count)
      let indices = Self.indices(numbers[0], numbers[1], step, count: list.elements.count)
      return .list(try TemplateList(indices.map { list.elements[$0] }, isTuple: list.isTuple))
    case .string(let text):
      try spend(text.utf8.count)
      let scalars = Array(text.unicodeScalars)
      var result = String.UnicodeScalarView()
      for index in Self.indices(numbers[0], numbers[1], step, count: scalars.count) {
        result.append(scalars[index])
      }
      return .string(String(result))
    default: return .undefined("a '\(value.typeName)' can't be sliced")
    }
  }

  private static func indices(_ start: Int?, _ stop: Int?, _ step: Int, count: Int) -> [Int] {
    let (lowest, highest) = step > 0 ? (0, count) : (-1, count - 1)
    func bound(_ value: Int?, _ missing: Int) -> Int {
      guard let value else { return missing }
      return min(max(value < 0 ? value + count : value, lowest), highest)
    }
    let first = bound(start, step > 0 ? lowest : highest)
    let end = bound(stop, step > 0 ? highest : lowest)
    // No step beyond the list can matter, and none may overflow.
    let stride = min(max(step, -count - 1), count + 1)
    return Array(Swift.stride(from: first, to: end, by: stride))
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
    // Only loops that call themselves go deeper.
    case "depth": return .integer(1)
    case "depth0": return .integer(0)
    case "previtem": return index > 0 ? items.elements[index - 1] : .undefined("no previous item")
    case "nextitem":
      return index + 1 < count ? items.elements[index + 1] : .undefined("no next item")
    case "cycle": return .function(.method(.loop(self), "cycle"))
    default: return nil
    }
  }
}
