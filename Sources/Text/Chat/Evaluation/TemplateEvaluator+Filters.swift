import Foundation

/// The filters behind `|`, as of Jinja2's `filters.py` (3.1.6); `tojson` as transformers has it.
///
/// Nothing is escaped unless a template asks for it, but what is joined to a text that `safe` or `escape`
/// marked is.
extension TemplateEvaluator {
  typealias Filter =
    @Sendable (TemplateEvaluator, TemplateValue, TemplateArguments) throws -> TemplateValue

  /// All filters by name.
  static let filters: [String: Filter] =
    textFilters.merging(sequenceFilters) { $1 }.merging(valueFilters) { $1 }

  func filter(
    _ name: String, _ value: TemplateValue, _ arguments: TemplateArguments
  ) throws -> TemplateValue {
    guard let filter = Self.filters[name] else {
      throw TemplateProblem(
        Self.otherFilters.contains(name)
          ? "the filter '\(name)' is not supported" : "there is no filter '\(name)'")
    }
    return try filter(self, value, arguments)
  }

  /// Jinja's filters for pages of the web and for random text.
  private static let otherFilters: Set = [
    "pprint", "random", "striptags", "urlize", "wordwrap", "xmlattr",
  ]

  private static let valueFilters: [String: Filter] = [
    "default": defaultValue, "d": defaultValue, "int": int, "float": float, "abs": abs,
    "round": round, "string": string, "tojson": json, "length": length,
    "count": length, "items": items, "dictsort": sortedItems,
    "attr": { evaluator, value, arguments in
      guard let name = try arguments.bound(to: ["name"], required: 1, of: "attr")[0]?.text else {
        throw TemplateProblem("'attr' takes a name")
      }
      return try value.mapping == nil
        ? evaluator.attribute(name, of: value) : .undefined("a mapping has no attribute '\(name)'")
    },
  ]

  /// A filter that takes no arguments.
  static func plain(
    _ filter: @escaping @Sendable (TemplateEvaluator, TemplateValue) throws -> TemplateValue
  ) -> Filter {
    { evaluator, value, arguments in
      guard arguments.isEmpty else { throw TemplateProblem("this filter takes no arguments") }
      return try filter(evaluator, value)
    }
  }

  private static let string = plain { $1.isMarkup ? $1 : .string(try $0.printed($1)) }

  private static let defaultValue: Filter = { _, value, arguments in
    let values = try arguments.bound(to: ["default_value", "boolean"], of: "default")
    let isReplaced = value.isUndefined || (values[1]?.isTrue ?? false) && !value.isTrue
    return isReplaced ? values[0] ?? .string("") : value
  }

  private static let int: Filter = { _, value, arguments in
    let values = try arguments.bound(to: ["default", "base"], of: "int")
    let missing = values[0] ?? .integer(0)
    let base = values[1]?.integer ?? 10
    guard (2...36).contains(base) else { throw TemplateProblem("'int' has no base \(base)") }
    switch value {
    case .undefined(let message): throw TemplateProblem(message)
    case .string(let text), .markup(let text):
      let digits = PythonText.stripped(text).filter { $0 != "_" }
      if let number = Int(digits, radix: base) { return .integer(number) }
      return Double(digits).flatMap { Int(exactly: $0.rounded(.towardZero)) }.map { .integer($0) }
        ?? missing
    default:
      if let number = value.integer { return .integer(number) }
      return value.number.flatMap { Int(exactly: $0.rounded(.towardZero)) }.map { .integer($0) }
        ?? missing
    }
  }

  private static let float: Filter = { _, value, arguments in
    let missing = try arguments.bound(to: ["default"], of: "float")[0] ?? .float(0)
    if case .undefined(let message) = value { throw TemplateProblem(message) }
    if let text = value.text {
      return Double(PythonText.stripped(text).filter { $0 != "_" }).map { .float($0) } ?? missing
    }
    return value.number.map { .float($0) } ?? missing
  }

  private static let abs = plain { evaluator, value in
    guard let number = value.number else { throw evaluator.unusable(value, "'abs'") }
    return number < 0 ? try evaluator.negated(value) : value
  }

  private static let round: Filter = { evaluator, value, arguments in
    let values = try arguments.bound(to: ["precision", "method"], of: "round")
    let method = values[1]?.text ?? "common"
    let precision = values[0]?.integer ?? 0
    guard let number = value.number else { throw evaluator.unusable(value, "'round'") }
    guard (0...15).contains(precision) else {
      throw TemplateProblem("'round' takes a precision of 0 to 15, not \(precision)")
    }
    let power = (0..<precision).reduce(1.0) { power, _ in power * 10 }
    switch method {
    case "common":
      if let integer = value.integer { return .integer(integer) }
      // Decimal digits are rounded, not the product with a power of ten.
      return .float(Double(String(format: "%.\(precision)f", number)) ?? number)
    case "ceil": return .float((number * power).rounded(.up) / power)
    case "floor": return .float((number * power).rounded(.down) / power)
    default: throw TemplateProblem("'round' has no method '\(method)'")
    }
  }

  private static let json: Filter = { evaluator, value, arguments in
    let values = try arguments.bound(
      to: ["ensure_ascii", "indent", "separators", "sort_keys"], of: "tojson")
    if case .undefined(let message) = value { throw TemplateProblem(message) }
    var writer = TemplateJSONWriter()
    writer.escapesNonASCII = values[0]?.isTrue ?? false
    writer.sortsKeys = values[3]?.isTrue ?? false
    if let width = values[1]?.integer {
      try evaluator.checkLength(max(width, 0))
      writer.indentation = String(repeating: " ", count: max(width, 0))
    } else {
      writer.indentation = values[1]?.text
    }
    if let pair = values[2]?.list?.elements {
      guard pair.count == 2, let item = pair[0].text, let key = pair[1].text else {
        throw TemplateProblem("'separators' are two texts")
      }
      writer.separators = (item, key)
    }
    // Escapes and indents make more of a value than its weight says.
    let level = (writer.indentation?.utf8.count ?? 0) * value.depth
    let (size, overflows) = value.weight.multipliedReportingOverflow(by: 16 + level)
    try evaluator.checkLength(overflows ? .max : size)
    return try evaluator.text(writer.text(of: value))
  }

  private static let length = plain { evaluator, value in
    switch value {
    case .undefined: return .integer(0)
    case .string(let text), .markup(let text):
      try evaluator.spend(text.utf8.count / 16)
      return .integer(text.unicodeScalars.count)
    case .list(let list): return .integer(list.elements.count)
    case .mapping(let mapping): return .integer(mapping.keys.count)
    default: throw TemplateProblem("a '\(value.typeName)' has no length")
    }
  }

  private static let items = plain { evaluator, value in
    if value.isUndefined { return evaluator.iterator(over: []) }
    guard let mapping = value.mapping else {
      throw TemplateProblem("'items' takes a mapping, not a '\(value.typeName)'")
    }
    try evaluator.spend(mapping.keys.count)
    return evaluator.iterator(over: try mapping.pairs)
  }

  private static let sortedItems: Filter = { evaluator, value, arguments in
    let values = try arguments.bound(to: ["case_sensitive", "by", "reverse"], of: "dictsort")
    guard let mapping = value.mapping else {
      throw TemplateProblem("'dictsort' takes a mapping, not a '\(value.typeName)'")
    }
    let by = values[1]?.text ?? "key"
    guard by == "key" || by == "value" else {
      throw TemplateProblem("'dictsort' sorts by 'key' or 'value', not by '\(by)'")
    }
    let isCaseSensitive = values[0]?.isTrue ?? false
    let keys = mapping.members.map { by == "key" ? $0.key : $0.value }
    return try evaluator.sorted(
      mapping.pairs, by: keys.map { $0.folded(isCaseSensitive) },
      isReversed: values[2]?.isTrue ?? false)
  }
}

extension TemplateValue {
  /// The value that sorting compares: texts in lower case, unless case matters.
  func folded(_ isCaseSensitive: Bool) -> TemplateValue {
    if !isCaseSensitive, let text { .string(text.lowercased()) } else { self }
  }
}
