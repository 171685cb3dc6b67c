/// The tests behind `is`, as of Jinja2's `tests.py`.
extension TemplateEvaluator {
  func test(_ name: String, _ value: TemplateValue, _ arguments: TemplateArguments) throws -> Bool {
    if let result = Self.typeTest(name, value) ?? Self.numberTest(name, value) {
      guard arguments.isEmpty else { throw TemplateProblem("'is \(name)' takes no arguments") }
      return result
    }
    switch name {
    case "lower", "upper":
      let text = try printed(value)
      return name == "lower" ? PythonText.isLower(text) : PythonText.isUpper(text)
    case "filter": return Self.filters[try printed(value)] != nil
    case "test": return try Self.isTest(printed(value))
    case "divisibleby":
      return try arithmetic(.remainder, value, argument(arguments, name)).number == 0
    case "sameas":
      let other = try argument(arguments, name)
      guard value.depth == 0, other.depth == 0 else {
        throw TemplateProblem("'is sameas' is not supported for lists and mappings")
      }
      try spend(min(value.weight, other.weight))
      return value.typeName == other.typeName && value.equals(other)
    default:
      guard let operation = Self.comparisons[name] else {
        throw TemplateProblem("there is no test '\(name)'")
      }
      return try compare(operation, value, argument(arguments, name))
    }
  }

  private static let comparisons: [String: TemplateExpression.Comparison] = [
    "eq": .equal, "equalto": .equal, "==": .equal, "ne": .notEqual, "!=": .notEqual, "lt": .less,
    "lessthan": .less, "<": .less, "le": .lessOrEqual, "<=": .lessOrEqual, "gt": .greater,
    "greaterthan": .greater, ">": .greater, "ge": .greaterOrEqual, ">=": .greaterOrEqual,
    "in": .contained,
  ]

  private static func isTest(_ name: String) -> Bool {
    comparisons[name] != nil || typeTest(name, .null) != nil || numberTest(name, .null) != nil
      || ["lower", "upper", "filter", "test", "divisibleby", "sameas"].contains(name)
  }

  private func argument(_ arguments: TemplateArguments, _ name: String) throws -> TemplateValue {
    try arguments.bound(to: ["other"], required: 1, of: "is \(name)")[0] ?? .null
  }

  private static func typeTest(_ name: String, _ value: TemplateValue) -> Bool? {
    switch name {
    case "defined": return !value.isUndefined
    case "undefined": return value.isUndefined
    case "none": if case .null = value { return true } else { return false }
    case "boolean": if case .bool = value { return true } else { return false }
    case "true": if case .bool(true) = value { return true } else { return false }
    case "false": if case .bool(false) = value { return true } else { return false }
    case "string": return value.text != nil
    case "mapping": return value.mapping != nil
    case "number": return value.number != nil
    case "integer": if case .integer = value { return true } else { return false }
    case "float": if case .float = value { return true } else { return false }
    case "callable":
      switch value {
      case .function, .loop: return true
      default: return false
      }
    case "escaped": return value.isMarkup
    case "iterable", "sequence":
      switch value {
      case .string, .markup, .mapping, .undefined: return true
      case .list(let list): return name == "iterable" || list.isSequence
      case .iterator, .loop: return name == "iterable"
      default: return false
      }
    default: return nil
    }
  }

  private static func numberTest(_ name: String, _ value: TemplateValue) -> Bool? {
    switch name {
    case "even": value.number.map { $0.truncatingRemainder(dividingBy: 2) == 0 } ?? false
    case "odd": value.number.map { abs($0.truncatingRemainder(dividingBy: 2)) == 1 } ?? false
    default: nil
    }
  }
}
