import Foundation

extension TemplateEvaluator {
  static let textFilters: [String: Filter] = [
    "upper": changed { $0.uppercased() }, "lower": changed { $0.lowercased() },
    "capitalize": changed(PythonText.capitalized), "title": title, "trim": trim,
    "replace": replace, "indent": indent, "escape": escape, "e": escape, "center": center,
    "forceescape": plain { .markup(PythonText.escaped(try $0.printed($1))) },
    "safe": plain { .markup(try $0.printed($1)) }, "format": format, "truncate": truncate,
    "filesizeformat": fileSize, "urlencode": urlEncode,
    "wordcount": plain { .integer(PythonText.letterRuns(try $0.printed($1))) },
  ]

  /// A filter that changes a text, which stays marked as safe if it was.
  private static func changed(_ change: @escaping @Sendable (String) -> String) -> Filter {
    plain { evaluator, value in
      let text = change(try evaluator.printed(value))
      try evaluator.checkLength(text.utf8.count)
      return evaluator.like(value, text)
    }
  }

  private static let trim: Filter = { evaluator, value, arguments in
    let text = try evaluator.printed(value)
    let characters = try arguments.bound(to: ["chars"], of: "trim")[0]
    let stripped = try evaluator.strip(text, characters ?? .null, left: true, right: true)
    return value.isMarkup ? .markup(stripped.text ?? "") : stripped
  }

  private static let replace: Filter = { evaluator, value, arguments in
    let values = try arguments.bound(to: ["old", "new", "count"], required: 2, of: "replace")
    let (old, new) = (values[0] ?? .null, values[1] ?? .null)
    return try evaluator.replaced(
      evaluator.printed(value), evaluator.printed(old), evaluator.printed(new), values[2])
  }

  private static let title = plain { evaluator, value in
    var result = ""
    var isStart = true
    for scalar in try evaluator.printed(value).unicodeScalars {
      let isBreak = PythonText.isSpace(scalar) || "-({[<".unicodeScalars.contains(scalar)
      let character = String(Character(scalar))
      result += isBreak ? character : isStart ? character.uppercased() : character.lowercased()
      isStart = isBreak
    }
    return .string(result)
  }

  private static let indent: Filter = { evaluator, value, arguments in
    let values = try arguments.bound(to: ["width", "first", "blank"], of: "indent")
    let width = values[0]?.integer ?? 4
    let text = try evaluator.printed(value)
    var lines = PythonText.lines(text + "\n")
    let size = (values[0]?.text?.utf8.count ?? max(width, 0)).multipliedReportingOverflow(
      by: lines.count)
    try evaluator.checkLength(size.overflow ? .max : size.partialValue)
    try evaluator.checkLength(size.partialValue + text.utf8.count)
    let indentation = values[0]?.text ?? String(repeating: " ", count: max(width, 0))
    let indentsFirst = values[1]?.isTrue ?? false
    let indentsBlank = values[2]?.isTrue ?? false
    for index in lines.indices {
      let isIndented = index == 0 ? indentsFirst : indentsBlank || !lines[index].isEmpty
      if isIndented { lines[index] = indentation + lines[index] }
    }
    return evaluator.like(value, lines.joined(separator: "\n"))
  }

  private static let escape = plain { .markup(try $0.escaped($1)) }

  /// A value as a text for HTML, where it isn't one already.
  func escaped(_ value: TemplateValue) throws -> String {
    let text = try printed(value)
    let result = value.isMarkup ? text : PythonText.escaped(text)
    try checkLength(result.utf8.count)
    return result
  }

  private static let center: Filter = { evaluator, value, arguments in
    let width = try arguments.bound(to: ["width"], of: "center")[0] ?? .integer(80)
    let text = try evaluator.printed(value)
    return evaluator.like(value, try evaluator.centered(text, width))
  }

  /// A text in the middle of a width, as `str.center` has it.
  func centered(
    _ text: String, _ width: TemplateValue, _ fill: Unicode.Scalar = " "
  ) throws -> String {
    guard let width = width.integer else {
      throw TemplateProblem("a width is a whole number, not a '\(width.typeName)'")
    }
    try checkLength(max(width, 0))
    let missing = max(max(width, 0) - text.unicodeScalars.count, 0)
    let left = missing / 2 + (missing & width & 1)
    let start = PythonText.padded(text, to: text.unicodeScalars.count + left, with: fill, ">")
    return PythonText.padded(start, to: width, with: fill, "<")
  }

  private static let format: Filter = { evaluator, value, arguments in
    guard arguments.positional.isEmpty || arguments.named.isEmpty else {
      throw TemplateProblem("'format' takes values by position or by name, not both")
    }
    let named = arguments.named.map { (key: $0.name, value: $0.value) }
    let text: TemplateValue = value.isMarkup ? value : .string(try evaluator.printed(value))
    return try evaluator.formatted(
      text,
      with: named.isEmpty
        ? .tuple(of: arguments.positional) : .mapping(try TemplateMapping(named)))
  }

  private static let truncate: Filter = { evaluator, value, arguments in
    let values = try arguments.bound(to: ["length", "killwords", "end", "leeway"], of: "truncate")
    let (length, leeway) = (values[0]?.integer ?? 255, values[3]?.integer ?? 5)
    let end = values[2]?.text ?? "..."
    let kept = try evaluator.checked(
      length.subtractingReportingOverflow(end.unicodeScalars.count))
    guard kept >= 0, leeway >= 0 else {
      throw TemplateProblem("'truncate' takes a length of the end's at least, and a leeway")
    }
    guard let text = value.text else { throw evaluator.unusable(value, "'truncate'") }
    let scalars = text.unicodeScalars
    if scalars.count - leeway <= length { return value }
    var start = String(scalars.prefix(kept))
    if !(values[1]?.isTrue ?? false), let space = start.unicodeScalars.lastIndex(of: " ") {
      start = String(start.unicodeScalars[..<space])
    }
    return evaluator.like(value, start + (value.isMarkup ? PythonText.escaped(end) : end))
  }

  private static let fileSize: Filter = { evaluator, value, arguments in
    let isBinary = try arguments.bound(to: ["binary"], of: "filesizeformat")[0]?.isTrue ?? false
    let number = value.number ?? value.text.flatMap { Double($0) }
    guard let bytes = number, bytes.isFinite else {
      throw evaluator.unusable(value, "'filesizeformat'")
    }
    let base: Double = isBinary ? 1024 : 1000
    if bytes == 1 { return .string("1 Byte") }
    if bytes < base { return .string("\(Int(exactly: bytes.rounded(.towardZero)) ?? 0) Bytes") }
    var unit = base
    for (index, letter) in "kMGTPEZY".enumerated() {
      unit *= base
      guard bytes < unit || index == 7 else { continue }
      let name = isBinary ? "\(letter)".uppercased() + "iB" : "\(letter)B"
      return .string(String(format: "%.1f \(name)", base * bytes / unit))
    }
    return .null
  }

  private static let urlEncode = plain { evaluator, value in
    func quoted(_ value: TemplateValue, inQuery: Bool) throws -> String {
      let bytes = try evaluator.printed(value).utf8.map { byte -> String in
        let character = Character(Unicode.Scalar(byte))
        let isKept =
          byte < 128 && (character.isLetter || character.isNumber || "_.-~".contains(character))
        if isKept || byte == UInt8(ascii: "/") && !inQuery { return String(character) }
        return byte == UInt8(ascii: " ") && inQuery ? "+" : String(format: "%%%02X", byte)
      }
      return bytes.joined()
    }
    guard value.text == nil, value.mapping != nil || value.list != nil else {
      return try evaluator.text(quoted(value, inQuery: false))
    }
    let pairs = try value.mapping?.pairs ?? evaluator.elements(of: value)
    return try evaluator.text(
      pairs.map { pair in
        let parts = try evaluator.elements(of: pair)
        guard parts.count == 2 else { throw TemplateProblem("'urlencode' takes pairs") }
        return try quoted(parts[0], inQuery: true) + "=" + quoted(parts[1], inQuery: true)
      }.joined(separator: "&"))
  }

  // MARK: What filters and methods share

  /// A text without some characters, or blanks, at its ends.
  func strip(
    _ text: String, _ characters: TemplateValue, left: Bool, right: Bool
  ) throws -> TemplateValue {
    try spend(text.utf8.count / 16)
    if case .null = characters {
      return .string(PythonText.stripped(text, left: left, right: right))
    }
    guard let dropped = characters.text else {
      throw TemplateProblem("characters to strip are a text, not a '\(characters.typeName)'")
    }
    let set = Set(dropped.unicodeScalars)
    return .string(PythonText.stripped(text, left: left, right: right) { set.contains($0) })
  }

  /// A text with some places replaced.
  func replaced(
    _ text: String, _ old: String, _ new: String, _ count: TemplateValue?
  ) throws -> TemplateValue {
    var limit = Int.max
    if let count, !count.isNull {
      guard let number = count.integer else {
        throw TemplateProblem("a number of places is a whole number, not a '\(count.typeName)'")
      }
      if number >= 0 { limit = number }
    }
    try spend((text.utf8.count + old.utf8.count) / 4)
    let places = min(limit, text.utf8.count / max(old.utf8.count, 1) + 1)
    // More than there can be, unless the text is made of nothing but such places.
    let size = places.multipliedReportingOverflow(by: new.utf8.count)
    if size.overflow || size.partialValue > TemplateLimits.text {
      let found = PythonText.places(of: Array(old.utf8), in: Array(text.utf8), limit: limit).count
      let count = old.isEmpty ? places : found
      let exact = count.multipliedReportingOverflow(by: new.utf8.count)
      try checkLength(exact.overflow ? .max : exact.partialValue)
    }
    return try self.text(PythonText.replaced(text, old, new, limit: limit))
  }
}
