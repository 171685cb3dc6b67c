/// The methods of texts, as Python's `str` has them.
extension TemplateEvaluator {
  static let textMethods: Set = [
    "capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "format",
    "format_map", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit",
    "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "join", "ljust",
    "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex",
    "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip",
    "swapcase", "title", "upper", "zfill",
  ]

  /// A method of a text that is marked as safe: what comes in is escaped, and what comes out is marked.
  func markupMethod(
    _ name: String, _ text: String, _ arguments: TemplateArguments
  ) throws -> TemplateValue {
    var arguments = arguments
    switch name {
    case "replace" where arguments.positional.count > 1:
      arguments.positional[1] = .string(try escaped(arguments.positional[1]))
    case "join" where !arguments.positional.isEmpty:
      let parts = try elements(of: arguments.positional[0])
      arguments.positional[0] = try .list(of: parts.map { .string(try escaped($0)) })
    case "format", "format_map":
      return .markup(try formatted(text, values(of: arguments, name), isEscaped: true))
    default: break
    }
    func marked(_ value: TemplateValue) throws -> TemplateValue {
      switch value {
      case .string(let text): .markup(text)
      case .list(let list): try .list(of: list.elements.map { try marked($0) }, kind: list.kind)
      default: value
      }
    }
    return try marked(textMethod(name, text, arguments))
  }

  /// What `format` and `format_map` are given.
  private func values(
    of arguments: TemplateArguments, _ name: String
  ) throws -> TemplateArguments {
    guard name == "format_map" else { return arguments }
    guard let mapping = try arguments.bound(to: ["mapping"], required: 1, of: name)[0]?.mapping
    else { throw TemplateProblem("'format_map' takes a mapping") }
    return TemplateArguments(
      named: mapping.members.compactMap { key, value in key.text.map { ($0, value) } })
  }

  func textMethod(
    _ name: String, _ text: String, _ arguments: TemplateArguments
  ) throws -> TemplateValue {
    try spend(text.utf8.count / 4)
    switch name {
    case "strip", "lstrip", "rstrip":
      let characters = try arguments.bound(to: ["chars"], of: name)[0]
      return try strip(text, characters ?? .null, left: name != "rstrip", right: name != "lstrip")
    case "split", "rsplit": return try split(text, arguments, fromEnd: name == "rsplit")
    case "splitlines":
      let keeps = try arguments.bound(to: ["keepends"], of: name)[0]?.isTrue ?? false
      let lines = PythonText.lines(text, keepEnds: keeps)
      try spend(lines.count)
      return try .list(of: lines.map { .string($0) })
    case "replace":
      let values = try arguments.bound(to: ["old", "new", "count"], required: 2, of: name)
      return try replaced(text, plain(values[0], name), plain(values[1], name), values[2])
    case "startswith", "endswith": return .bool(try touches(text, arguments, name))
    case "join":
      let list = try arguments.bound(to: ["iterable"], required: 1, of: name)[0] ?? .null
      let parts = try elements(of: list).map { try plain($0, name) }
      let size = parts.reduce(0) { $0 + $1.utf8.count + text.utf8.count }
      try checkLength(size)
      return .string(parts.joined(separator: text))
    case "format", "format_map":
      return try self.text(formatted(text, values(of: arguments, name), isEscaped: false))
    case "center", "ljust", "rjust", "zfill": return try justified(text, arguments, name)
    case "expandtabs":
      let size = try arguments.bound(to: ["tabsize"], of: name)[0]?.integer ?? 8
      let blanks = text.utf8.count { $0 == 9 }.multipliedReportingOverflow(by: max(size, 0))
      try checkLength(blanks.overflow ? .max : blanks.partialValue)
      return try self.text(PythonText.expandingTabs(text, size))
    case "count", "find", "index", "rfind", "rindex": return try found(text, arguments, name)
    case "partition", "rpartition": return try partition(text, arguments, name)
    case "removeprefix", "removesuffix":
      let part = try plain(arguments.bound(to: ["part"], required: 1, of: name)[0], name)
      let isThere =
        name == "removeprefix"
        ? text.utf8.starts(with: part.utf8) : PythonText.ends(text, with: part)
      guard isThere else { return .string(text) }
      let count = part.utf8.count
      return .string(
        String(
          decoding: name == "removeprefix" ? text.utf8.dropFirst(count) : text.utf8.dropLast(count),
          as: UTF8.self))
    default:
      guard arguments.isEmpty else { throw TemplateProblem("'\(name)' takes no arguments") }
      return try plainMethod(name, text)
    }
  }

  private func plainMethod(_ name: String, _ text: String) throws -> TemplateValue {
    func all(_ holds: (Unicode.Scalar) -> Bool) -> TemplateValue {
      .bool(!text.isEmpty && text.unicodeScalars.allSatisfy(holds))
    }
    switch name {
    case "upper": return try self.text(text.uppercased())
    case "lower": return try self.text(text.lowercased())
    case "capitalize": return try self.text(PythonText.capitalized(text))
    case "title": return try self.text(PythonText.titled(text))
    case "casefold": return try self.text(PythonText.caseFolded(text))
    case "swapcase": return try self.text(PythonText.swappingCase(text))
    case "istitle": return .bool(PythonText.isTitle(text))
    case "isascii": return .bool(text.utf8.allSatisfy { $0 < 128 })
    case "isprintable": return .bool(text.unicodeScalars.allSatisfy(PythonText.isPrintable))
    case "isdecimal": return all { $0.properties.numericType == .decimal }
    case "isnumeric": return all { $0.properties.numericType != nil }
    case "islower": return .bool(PythonText.isLower(text))
    case "isupper": return .bool(PythonText.isUpper(text))
    case "isspace": return all(PythonText.isSpace)
    case "isalpha": return all(PythonText.isLetter)
    case "isdigit": return all(PythonText.isDigit)
    case "isalnum": return all { PythonText.isLetter($0) || $0.properties.numericType != nil }
    default: throw TemplateProblem("a text has no method '\(name)'")
    }
  }

  private func justified(
    _ text: String, _ arguments: TemplateArguments, _ name: String
  ) throws -> TemplateValue {
    let values = try arguments.bound(
      to: name == "zfill" ? ["width"] : ["width", "fillchar"], required: 1, of: name)
    guard let width = values[0]?.integer else {
      throw TemplateProblem("'\(name)' takes a width, a whole number")
    }
    try checkLength(max(width, 0))
    if name == "zfill" { return .string(PythonText.filledWithZeros(text, width)) }
    let fill = try values[1].map { try plain($0, name) } ?? " "
    guard let scalar = fill.unicodeScalars.first, fill.unicodeScalars.count == 1 else {
      throw TemplateProblem("'\(name)' fills up with one character")
    }
    if name == "center" { return .string(try centered(text, .integer(width), scalar)) }
    return .string(PythonText.padded(text, to: width, with: scalar, name == "ljust" ? "<" : ">"))
  }

  /// An argument that has to be a text.
  private func plain(_ value: TemplateValue?, _ name: String) throws -> String {
    guard let text = value?.text else {
      if case .undefined(let message) = value { throw TemplateProblem(message) }
      throw TemplateProblem("'\(name)' takes texts, not a '\(value?.typeName ?? "NoneType")'")
    }
    return text
  }

  private func split(
    _ text: String, _ arguments: TemplateArguments, fromEnd: Bool
  ) throws -> TemplateValue {
    let values = try arguments.bound(to: ["sep", "maxsplit"], of: fromEnd ? "rsplit" : "split")
    let most = values[1]?.integer ?? -1
    let limit = most < 0 ? Int.max : most
    var parts: [String]
    if let separator = values[0], !separator.isNull {
      let separator = try plain(separator, "split")
      guard !separator.isEmpty else { throw TemplateProblem("an empty text can't separate") }
      parts = PythonText.parts(text, between: separator, limit: fromEnd ? .max : limit)
      if fromEnd, parts.count - 1 > limit {
        let kept = parts.count - limit
        parts = [parts[..<kept].joined(separator: separator)] + parts[kept...]
      }
    } else if fromEnd {
      func reversed(_ text: String) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text.unicodeScalars.reversed())
        return String(view)
      }
      parts = PythonText.words(reversed(text), limit: limit).reversed().map(reversed)
    } else {
      parts = PythonText.words(text, limit: limit)
    }
    try spend(parts.count)
    return try .list(of: parts.map { .string($0) })
  }

  private func touches(
    _ text: String, _ arguments: TemplateArguments, _ name: String
  ) throws -> Bool {
    guard let value = try arguments.bound(to: ["part"], required: 1, of: name)[0] else {
      return false
    }
    let parts = value.list?.elements ?? [value]
    return try parts.contains { part in
      let part = try plain(part, name)
      return name == "startswith"
        ? text.utf8.starts(with: part.utf8) : PythonText.ends(text, with: part)
    }
  }

  /// `count`, and places counted in characters.
  private func found(
    _ text: String, _ arguments: TemplateArguments, _ name: String
  ) throws -> TemplateValue {
    let part = try plain(arguments.bound(to: ["part"], required: 1, of: name)[0], name)
    let bytes = Array(text.utf8)
    if part.isEmpty {
      let count = text.unicodeScalars.count
      return .integer(name == "count" ? count + 1 : name.hasPrefix("r") ? count : 0)
    }
    // Backwards, the last place is the first.
    let needle = Array(part.utf8)
    var place: Range<Int>?
    switch name {
    case "count": return .integer(PythonText.places(of: needle, in: bytes).count)
    case "rfind", "rindex":
      place = PythonText.places(of: needle.reversed(), in: bytes.reversed(), limit: 1).first
        .map { bytes.count - $0.upperBound..<bytes.count - $0.lowerBound }
    default: place = PythonText.places(of: needle, in: bytes, limit: 1).first
    }
    guard let place else {
      if name.hasSuffix("index") {
        throw TemplateProblem("'\(name)' doesn't find what it looks for")
      }
      return .integer(-1)
    }
    return .integer(bytes[..<place.lowerBound].count { $0 & 0xC0 != 0x80 })
  }

  private func partition(
    _ text: String, _ arguments: TemplateArguments, _ name: String
  ) throws -> TemplateValue {
    let separator = try plain(arguments.bound(to: ["sep"], required: 1, of: name)[0], name)
    guard !separator.isEmpty else { throw TemplateProblem("an empty text can't separate") }
    let pair = try split(
      text, TemplateArguments(positional: [.string(separator), .integer(1)]),
      fromEnd: name == "rpartition")
    guard let parts = pair.list?.elements, parts.count == 2 else {
      let empty = TemplateValue.string("")
      return try .tuple(
        of: name == "partition" ? [.string(text), empty, empty] : [empty, empty, .string(text)])
    }
    return try .tuple(of: [parts[0], .string(separator), parts[1]])
  }
}
