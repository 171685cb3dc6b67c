import Files

/// A function that the model's answer calls.
package struct ToolCall: Equatable, Sendable {
  package let name: String
  /// The arguments as JSON text.
  package let arguments: String

  package init(name: String, arguments: String) {
    self.name = name
    self.arguments = arguments
  }
}

/// How a family's answers spell calls, as far as its chat template tells.
package enum ToolSyntax: Equatable, Sendable {
  /// `<tool_call>{"name": …, "arguments": {…}}</tool_call>`: Hermes, Qwen 2.5 and 3.
  case hermes
  /// `<tool_call><function=NAME><parameter=KEY>VALUE</parameter>…</function></tool_call>`: Qwen3-Coder.
  case qwenCoder
  /// `{"name": …, "parameters": {…}}` as the whole answer, perhaps behind `<|python_tag|>`: Llama 3.
  case llama
  /// `[TOOL_CALLS] [{"name": …, "arguments": {…}}, …]`, or `[TOOL_CALLS]NAME[ARGS]{…}`: Mistral.
  case mistral

  /// The syntax of a chat template; nil for one that defines none that is known here.
  package init?(template: String) {
    if template.contains("<tool_call>") {
      self = template.contains("<function=") ? .qwenCoder : .hermes
    } else if template.contains("[TOOL_CALLS]") {
      self = .mistral
    } else if template.contains("<|python_tag|>")
      || template.contains("\"parameters\": dictionary of argument name and its value")
      || template.contains("<|start_header_id|>") && template.contains("\"parameters\": ")
    {
      self = .llama
    } else {
      return nil
    }
  }

  /// Text with which calls begin; an answer of the family `llama` has none and begins with an object.
  var openings: [String] {
    switch self {
    case .hermes, .qwenCoder: ["<tool_call>"]
    case .llama: ["<|python_tag|>", "{"]
    case .mistral: ["[TOOL_CALLS]"]
    }
  }

  /// What ends a call, where something does; else it goes to the end of the answer.
  var closing: String? {
    switch self {
    case .hermes, .qwenCoder: "</tool_call>"
    case .llama, .mistral: nil
    }
  }

  /// Special tokens that a parser has to see, although texts leave them out.
  var marks: [String] {
    switch self {
    case .hermes, .qwenCoder: ["<tool_call>", "</tool_call>"]
    case .llama: ["<|python_tag|>"]
    case .mistral: ["[TOOL_CALLS]", "[ARGS]", "[CALL_ID]"]
    }
  }

  /// The calls that a text between opening and closing spells; nil if it spells none.
  func calls(in text: String) -> [ToolCall]? {
    switch self {
    case .hermes: Self.objects(text, arguments: "arguments")
    case .llama: Self.objects(text, arguments: "parameters")
    case .mistral: Self.named(text) ?? Self.objects(text, arguments: "arguments")
    case .qwenCoder: Self.tagged(text)
    }
  }

  /// Calls as an object, a list of objects, or objects one behind the other with `;` between.
  private static func objects(_ text: String, arguments: String) -> [ToolCall]? {
    guard let root = try? JSONText(Array(text.utf8), name: "the call").root else {
      let parts = text.split(separator: ";").compactMap { part -> [ToolCall]? in
        guard part.count < text.count else { return nil }
        return objects(String(part), arguments: arguments)
      }
      let calls = parts.flatMap { $0 }
      return calls.isEmpty || parts.count != text.split(separator: ";").count ? nil : calls
    }
    guard let elements = root.isArray ? try? root.elements() : [root] else { return nil }
    let calls = elements.compactMap { element -> ToolCall? in
      guard let members = try? element.members(), let name = members["name"]?.string else {
        return nil
      }
      guard let node = members[arguments] ?? members["arguments"] ?? members["parameters"] else {
        return ToolCall(name: name, arguments: "{}")
      }
      let own = node.string ?? String(decoding: node.text.bytes[node.span], as: UTF8.self)
      return ToolCall(name: name, arguments: own)
    }
    return calls.isEmpty || calls.count != elements.count ? nil : calls
  }

  /// `NAME[ARGS]{…}`, perhaps several with `[TOOL_CALLS]` between.
  private static func named(_ text: String) -> [ToolCall]? {
    guard text.contains("[ARGS]") else { return nil }
    let parts = text.split(separator: "[TOOL_CALLS]")
    let calls = parts.compactMap { part -> ToolCall? in
      guard let mark = part.firstRange(of: "[ARGS]") else { return nil }
      let name = part[..<mark.lowerBound].split(separator: "[CALL_ID]").first ?? ""
      let arguments = trimmed(part[mark.upperBound...])
      guard (try? JSONText(Array(arguments.utf8), name: "the call")) != nil, !trimmed(name).isEmpty
      else { return nil }
      return ToolCall(name: trimmed(name), arguments: arguments)
    }
    return calls.count == parts.count && !calls.isEmpty ? calls : nil
  }

  /// Tags of Qwen3-Coder. A value that is JSON but no text stays what it is; others become texts.
  private static func tagged(_ text: String) -> [ToolCall]? {
    guard let start = text.firstRange(of: "<function="),
      let end = text[start.upperBound...].firstIndex(of: ">")
    else { return nil }
    let name = String(text[start.upperBound..<end])
    var rest = text[text.index(after: end)...]
    var members: [String] = []
    while let open = rest.firstRange(of: "<parameter=") {
      guard let close = rest[open.upperBound...].firstIndex(of: ">"),
        let finish = rest[close...].firstRange(of: "</parameter>")
      else { return nil }
      let key = String(rest[open.upperBound..<close])
      var value = rest[rest.index(after: close)..<finish.lowerBound]
      if value.hasPrefix("\n") { value = value.dropFirst() }
      if value.hasSuffix("\n") { value = value.dropLast() }
      members.append("\(jsonLiteral(key)): \(literal(String(value)))")
      rest = rest[finish.upperBound...]
    }
    return [ToolCall(name: name, arguments: "{\(members.joined(separator: ", "))}")]
  }

  private static func literal(_ value: String) -> String {
    guard let root = try? JSONText(Array(value.utf8), name: "a value").root, !root.isString else {
      return jsonLiteral(value)
    }
    return value
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    var text = text[...]
    while let first = text.first, first.isWhitespace { text = text.dropFirst() }
    while let last = text.last, last.isWhitespace { text = text.dropLast() }
    return String(text)
  }
}
