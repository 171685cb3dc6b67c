import Files

/// Writes values as Python's `json.dumps` does. The caller accounts for the weight.
struct TemplateJSONWriter {
  /// Whether characters beyond ASCII are escaped.
  var escapesNonASCII = false
  /// What each level is indented by; nil for everything on one line.
  var indentation: String?
  /// Between elements, and between a key and its value.
  var separators: (item: String, key: String)?
  /// Whether members are sorted by key.
  var sortsKeys = false

  private var text = ""

  /// The JSON of a value.
  ///
  /// - Throws: `TemplateProblem` when it has none.
  mutating func text(of value: TemplateValue) throws -> String {
    text = ""
    try write(value, level: 0)
    return text
  }

  private var itemSeparator: String { separators?.item ?? (indentation == nil ? ", " : ",") }

  private mutating func write(_ value: TemplateValue, level: Int) throws {
    switch value {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += "\(value)"
    case .float(let value):
      if value.isNaN {
        text += "NaN"
      } else if value.isInfinite {
        text += value < 0 ? "-Infinity" : "Infinity"
      } else {
        text += PythonText.float(value)
      }
    case .string(let value), .markup(let value):
      text += jsonLiteral(value, asciiOnly: escapesNonASCII)
    case .list(let list) where list.kind == .list || list.isTuple:
      try write("[", "]", count: list.elements.count, level) { writer, index in
        try writer.write(list.elements[index], level: level + 1)
      }
    case .mapping(let mapping):
      var members = mapping.members
      if sortsKeys { try members.sort { try $0.key.isLess(than: $1.key) } }
      try write("{", "}", count: members.count, level) { writer, index in
        writer.text += jsonLiteral(
          try Self.key(members[index].key), asciiOnly: writer.escapesNonASCII)
        writer.text += writer.separators?.key ?? ": "
        try writer.write(members[index].value, level: level + 1)
      }
    case .undefined, .list, .iterator, .namespace, .loop, .function:
      throw TemplateProblem("a value of type '\(value.typeName)' can't be written as JSON")
    }
  }

  /// JSON's keys are texts; Python writes other keys as their JSON.
  private static func key(_ value: TemplateValue) throws -> String {
    if let text = value.text { return text }
    guard value.list == nil else {
      throw TemplateProblem("a key of type '\(value.typeName)' can't be written as JSON")
    }
    var writer = TemplateJSONWriter()
    return try writer.text(of: value)
  }

  private mutating func write(
    _ open: String, _ close: String, count: Int, _ level: Int,
    _ item: (inout TemplateJSONWriter, Int) throws -> Void
  ) throws {
    text += open
    for index in 0..<count {
      if index > 0 { text += itemSeparator }
      breakLine(level + 1)
      try item(&self, index)
    }
    if count > 0 { breakLine(level) }
    text += close
  }

  private mutating func breakLine(_ level: Int) {
    guard let indentation else { return }
    text += "\n" + String(repeating: indentation, count: level)
  }
}
