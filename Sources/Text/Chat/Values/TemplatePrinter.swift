/// Writes values as Python's `str` and `repr` do.
struct TemplatePrinter {
  /// The namespaces of the evaluator, by number.
  let namespaces: [TemplateNamespace]
  /// The names of its macros, by number.
  let macros: [String]
  private(set) var text = ""
  private var depth = 0

  init(namespaces: [TemplateNamespace], macros: [String]) {
    self.namespaces = namespaces
    self.macros = macros
  }

  /// Appends `repr` of a value.
  ///
  /// - Throws: `TemplateProblem` when Python would print an address in memory, or the text has no end.
  mutating func append(_ value: TemplateValue) throws {
    switch value {
    case .undefined: text += "Undefined"
    case .null: text += "None"
    case .bool(let value): text += value ? "True" : "False"
    case .integer(let value): text += "\(value)"
    case .float(let value): text += PythonText.float(value)
    case .string(let value): PythonText.appendQuoted(value, to: &text)
    case .markup(let value):
      text += "Markup("
      PythonText.appendQuoted(value, to: &text)
      text += ")"
    case .list(let list): try nested { try $0.append(list) }
    case .mapping(let mapping): try nested { try $0.append(mapping.members) }
    case .namespace(let number):
      text += "<Namespace "
      let members = namespaces[number].members
      try nested { try $0.append(members.map { (key: .string($0.name), value: $0.value) }) }
      text += ">"
    case .loop(let loop): text += "<LoopContext \(loop.index + 1)/\(loop.items.elements.count)>"
    case .function(.macro(let number)):
      text += "<Macro "
      PythonText.appendQuoted(macros[number], to: &text)
      text += ">"
    case .iterator: throw TemplateProblem("a generator has no text: put '| list' behind its filter")
    case .function: throw TemplateProblem("a function has no text: call it")
    }
    guard text.utf8.count <= TemplateLimits.text else { throw TemplateLimits.tooLong }
  }

  private mutating func nested(_ body: (inout TemplatePrinter) throws -> Void) throws {
    depth += 1
    guard depth <= TemplateLimits.depth else { throw TemplateLimits.tooDeep }
    try body(&self)
    depth -= 1
  }

  private mutating func append(_ list: TemplateList) throws {
    if case .range(let start, let stop, let step) = list.kind {
      text += "range(\(start), \(stop)\(step == 1 ? "" : ", \(step)"))"
      return
    }
    let name = list.isSequence ? "" : TemplateValue.list(list).typeName
    text += name.isEmpty ? list.isTuple ? "(" : "[" : name + "(["
    for (index, element) in list.elements.enumerated() {
      if index > 0 { text += ", " }
      try append(element)
    }
    if list.isTuple && list.elements.count == 1 { text += "," }
    text += name.isEmpty ? list.isTuple ? ")" : "]" : "])"
  }

  private mutating func append(_ members: [(key: TemplateValue, value: TemplateValue)]) throws {
    text += "{"
    for (index, member) in members.enumerated() {
      if index > 0 { text += ", " }
      try append(member.key)
      text += ": "
      try append(member.value)
    }
    text += "}"
  }
}

/// The attributes of a namespace, in the order in which they came.
struct TemplateNamespace: Sendable {
  private var names: [String] = []
  private var values: [String: TemplateValue] = [:]

  /// - Throws: `TemplateProblem` for a name that transformers keeps from templates.
  init(_ members: [(name: String, value: TemplateValue)]) throws {
    for (name, value) in members { try set(name, value) }
  }

  subscript(name: String) -> TemplateValue? { values[name] }

  mutating func set(_ name: String, _ value: TemplateValue) throws {
    guard !name.hasPrefix("_") else {
      throw TemplateProblem(
        "a namespace's attribute can't begin with '_', as '\(name.prefix(60))' does")
    }
    if values.updateValue(value, forKey: name) == nil { names.append(name) }
  }

  var members: [(name: String, value: TemplateValue)] {
    names.compactMap { name in values[name].map { (name, $0) } }
  }
}
