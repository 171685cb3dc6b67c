import Foundation

extension TemplateEvaluator {
  static let textFilters: [String: Filter] = [
    "upper": plain { try $0.text($0.printed($1).uppercased()) },
    "lower": plain { try $0.text($0.printed($1).lowercased()) },
    "capitalize": plain { try $0.text(PythonText.capitalized($0.printed($1))) }, "title": title,
    "trim": trim, "replace": replace, "indent": indent, "escape": escape, "e": escape,
    "wordcount": plain { .integer(PythonText.letterRuns(try $0.printed($1))) },
  ]

  private static let trim: Filter = { evaluator, value, arguments in
    let text = try evaluator.printed(value)
    let characters = try arguments.bound(to: ["chars"], of: "trim")[0]
    return try evaluator.strip(text, characters ?? .null, left: true, right: true)
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
    return .string(lines.joined(separator: "\n"))
  }

  private static let escape = plain { evaluator, value in
    var result = ""
    for scalar in try evaluator.printed(value).unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "'": result += "&#39;"
      case "\"": result += "&#34;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return try evaluator.text(result)
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
