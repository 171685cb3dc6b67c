/// The operator `%` of texts.
extension TemplateEvaluator {
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
