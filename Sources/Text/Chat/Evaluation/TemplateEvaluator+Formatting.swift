/// `str.format` and the operator `%` of texts.
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

  // MARK: The operator %

  /// A text with the values of `%s`, `%d` and so on in it.
  func formatted(_ value: TemplateValue, with values: TemplateValue) throws -> TemplateValue {
    let text = Array((value.text ?? "").unicodeScalars)
    var positional: ArraySlice<TemplateValue> =
      values.list.map {
        $0.isTuple ? $0.elements[...] : [values]
      } ?? [values]
    var rest = text[...]
    var result = ""
    var isByName = false
    while let scalar = rest.popFirst() {
      guard scalar == "%" else {
        result.unicodeScalars.append(scalar)
        continue
      }
      var name: String?
      if rest.first == "(" {
        let key = rest.dropFirst().prefix { $0 != ")" }
        rest = rest.dropFirst(key.count + 2)
        name = String(String.UnicodeScalarView(key))
      }
      var format = PythonFormat()
      let flags = rest.prefix { "#0- +".unicodeScalars.contains($0) }
      rest = rest.dropFirst(flags.count)
      format.width = try PythonFormat.number(&rest) ?? 0
      if rest.first == "." {
        rest.removeFirst()
        format.precision = try PythonFormat.number(&rest) ?? 0
      }
      while let mark = rest.first, "hlL".unicodeScalars.contains(mark) { rest.removeFirst() }
      guard let type = rest.popFirst() else { throw TemplateProblem("a '%' has nothing behind it") }
      if type == "%" {
        result += "%"
        continue
      }
      let item: TemplateValue
      if let name {
        isByName = true
        guard let mapping = values.mapping else {
          throw TemplateProblem("'%(\(name.prefix(60)))' takes its value from a mapping")
        }
        guard let found = mapping[name] else {
          throw TemplateProblem("the mapping has no '\(name.prefix(60))'")
        }
        item = found
      } else {
        guard let next = positional.popFirst() else {
          throw TemplateProblem("a text has more '%' than there are values")
        }
        item = next
      }
      let isPlain = value.isMarkup && !item.isMarkup
      let written = try percent(item, format, flags: Array(flags), type)
      result += isPlain ? PythonText.escaped(written) : written
      try checkLength(result.utf8.count)
    }
    guard positional.isEmpty || isByName || values.mapping != nil else {
      throw TemplateProblem("a text has fewer '%' than there are values")
    }
    return like(value, result)
  }

  private func percent(
    _ value: TemplateValue, _ format: PythonFormat, flags: [Unicode.Scalar], _ type: Unicode.Scalar
  ) throws -> String {
    var format = format
    try checkLength(format.width + (format.precision ?? 0))
    format.isAlternate = flags.contains("#")
    if flags.contains("+") { format.sign = "+" } else if flags.contains(" ") { format.sign = " " }
    format.align = flags.contains("-") ? "<" : ">"
    func text(_ text: String) throws -> String {
      var plain = PythonFormat()
      (plain.width, plain.precision, plain.align) = (format.width, format.precision, format.align)
      return try plain.text(text)
    }
    switch type {
    case "s": return try text(printed(value))
    case "r", "a": return try text(representation(of: value))
    case "c":
      if let text = value.text, text.unicodeScalars.count == 1 { return try format.text(text) }
    default: break
    }
    if flags.contains("0"), format.align != "<" { (format.fill, format.align) = ("0", "=") }
    guard let number = value.number else { throw unusable(value, "'%\(type)'") }
    switch type {
    case "d", "i", "u", "x", "X", "o", "c":
      let whole = value.integer ?? Int(exactly: number.rounded(.towardZero))
      guard let whole, value.integer != nil || "diu".unicodeScalars.contains(type) else {
        throw unusable(value, "'%\(type)'")
      }
      format.type = "xXoc".unicodeScalars.contains(type) ? type : "d"
      return try digits(of: whole, format)
    case "e", "E", "f", "F", "g", "G":
      format.type = type
      return try format.text(number)
    default: throw TemplateProblem("'%\(type)' is no format")
    }
  }

  /// A whole number of at least as many digits as the precision says.
  private func digits(of number: Int, _ format: PythonFormat) throws -> String {
    guard let precision = format.precision, format.type != "c" else {
      return try format.text(number)
    }
    var bare = PythonFormat()
    (bare.type, bare.isAlternate, bare.sign) = (format.type, format.isAlternate, format.sign)
    (bare.fill, bare.align) = ("0", "=")
    let shortest = try bare.text(number).unicodeScalars.count
    var plain = PythonFormat()
    plain.type = format.type
    let digits = try plain.text(Int(clamping: number.magnitude)).unicodeScalars.count
    bare.width = shortest + max(precision - digits, 0)
    let written = try bare.text(number)
    return PythonText.padded(
      written, to: format.width, with: format.fill == "0" ? " " : format.fill,
      format.align == "<" ? "<" : ">")
  }
}
