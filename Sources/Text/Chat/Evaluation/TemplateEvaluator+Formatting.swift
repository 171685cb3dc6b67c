/// `str.format`.
extension TemplateEvaluator {
  /// A text with the values of `{…}` in it, as `str.format` makes it in Jinja's sandbox.
  ///
  /// - Parameter isEscaped: Whether values are escaped, as of a text that is marked as safe.
  func formatted(
    _ text: String, _ arguments: TemplateArguments, isEscaped: Bool
  ) throws -> String {
    var fields = FieldNumbers()
    return try formatted(
      Array(text.unicodeScalars), arguments, &fields, isEscaped: isEscaped, depth: 3)
  }

  /// How fields without a name are counted.
  private struct FieldNumbers {
    private var next: Int? = 0

    mutating func name(_ given: String) throws -> String {
      let isNumber = !given.isEmpty && given.utf8.allSatisfy { (48...57).contains($0) }
      if given.isEmpty {
        guard let number = next else { throw mixed }
        next = number + 1
        return "\(number)"
      }
      if isNumber {
        guard next == nil || next == 0 else { throw mixed }
        next = nil
      }
      return given
    }

    private var mixed: TemplateProblem {
      TemplateProblem("'format' counts fields by itself or by their numbers, not both")
    }
  }

  private func formatted(
    _ text: [Unicode.Scalar], _ arguments: TemplateArguments, _ fields: inout FieldNumbers,
    isEscaped: Bool, depth: Int
  ) throws -> String {
    guard depth > 0 else { throw TemplateProblem("fields of 'format' are nested too deeply") }
    var result = String.UnicodeScalarView()
    var index = 0
    while index < text.count {
      let scalar = text[index]
      let isDoubled = index + 1 < text.count && text[index + 1] == scalar
      if (scalar == "{" || scalar == "}") && isDoubled || scalar != "{" && scalar != "}" {
        result.append(scalar)
        index += isDoubled && (scalar == "{" || scalar == "}") ? 2 : 1
        continue
      }
      guard scalar == "{", let end = Self.fieldEnd(text, from: index + 1) else {
        throw TemplateProblem("a '\(scalar)' of 'format' stands alone")
      }
      let value = try field(
        Array(text[(index + 1)..<end]), arguments, &fields, isEscaped: isEscaped, depth: depth)
      result.append(contentsOf: value.unicodeScalars)
      try checkLength(result.count)
      index = end + 1
    }
    return String(result)
  }

  /// Where the bracket that closes a field stands.
  private static func fieldEnd(_ text: [Unicode.Scalar], from start: Int) -> Int? {
    var open = 1
    var index = start
    while index < text.count {
      if text[index] == "{" { open += 1 }
      if text[index] == "}" { open -= 1 }
      if open == 0 { return index }
      index += 1
    }
    return nil
  }

  /// `name!conversion:specification`
  private func field(
    _ field: [Unicode.Scalar], _ arguments: TemplateArguments, _ fields: inout FieldNumbers,
    isEscaped: Bool, depth: Int
  ) throws -> String {
    var nameEnd = field.count
    var brackets = 0
    for (index, scalar) in field.enumerated() {
      if scalar == "[" { brackets += 1 }
      if scalar == "]" { brackets -= 1 }
      if brackets == 0, scalar == "!" || scalar == ":" {
        nameEnd = index
        break
      }
    }
    var value = try fieldValue(field[..<nameEnd], arguments, &fields)
    var rest = field[nameEnd...]
    if rest.first == "!" {
      guard let conversion = rest.dropFirst().first else {
        throw TemplateProblem("a field of 'format' has no letter behind '!'")
      }
      switch conversion {
      case "s": value = .string(try printed(value))
      case "r": value = .string(try representation(of: value))
      default: throw TemplateProblem("'format' has no conversion '!\(conversion)' here")
      }
      rest = rest.dropFirst(2)
    }
    guard rest.isEmpty || rest.first == ":" else {
      throw TemplateProblem("expected ':' in a field of 'format'")
    }
    let specification = try formatted(
      Array(rest.dropFirst()), arguments, &fields, isEscaped: false, depth: depth - 1)
    let text = try placed(value, specification)
    return isEscaped && !value.isMarkup ? PythonText.escaped(text) : text
  }

  /// The value of a field's name: an argument and a way into it.
  private func fieldValue(
    _ path: ArraySlice<Unicode.Scalar>, _ arguments: TemplateArguments,
    _ fields: inout FieldNumbers
  ) throws -> TemplateValue {
    let first = path.prefix { $0 != "." && $0 != "[" }
    let name = try fields.name(String(String.UnicodeScalarView(first)))
    var value: TemplateValue
    if let number = Int(name), name.utf8.allSatisfy({ (48...57).contains($0) }) {
      guard arguments.positional.indices.contains(number) else {
        throw TemplateProblem("'format' is not given a value for field \(number)")
      }
      value = arguments.positional[number]
    } else {
      guard let found = arguments.named.first(where: { $0.name == name })?.value else {
        throw TemplateProblem("'format' is not given '\(name.prefix(60))'")
      }
      value = found
    }
    var rest = path.dropFirst(first.count)
    while let mark = rest.popFirst() {
      if mark == "[" {
        let key = String(String.UnicodeScalarView(rest.prefix { $0 != "]" }))
        rest = rest.dropFirst(key.unicodeScalars.count + 1)
        value = try item(Int(key).map { .integer($0) } ?? .string(key), of: value)
      } else {
        let name = String(String.UnicodeScalarView(rest.prefix { $0 != "." && $0 != "[" }))
        rest = rest.dropFirst(name.unicodeScalars.count)
        value = try attribute(name, of: value)
      }
    }
    return value
  }

  /// A value in a format, as Python's `format(value, specification)`.
  private func placed(_ value: TemplateValue, _ specification: String) throws -> String {
    if specification.isEmpty { return try printed(value) }
    let format = try PythonFormat(specification)
    try checkLength(format.width + (format.precision ?? 0))
    if let text = value.text { return try format.text(text) }
    if let number = value.integer { return try format.text(number) }
    if let number = value.number { return try format.text(number) }
    throw unusable(value, "a format other than the empty one")
  }
}
