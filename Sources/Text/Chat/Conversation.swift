import Files

/// A conversation that a chat template turns into a prompt.
public struct Conversation: Sendable {
  /// A list of mappings, most often with `role` and `content`.
  let messages: TemplateList
  /// Descriptions of functions that the model may call, or none.
  private(set) var tools: TemplateValue = .null
  /// What else the template is told, by name.
  private(set) var options: [String: TemplateValue] = [:]

  /// What a user says, perhaps after a system message.
  public init(system: String? = nil, user: String) throws {
    let turns = [system.map { ("system", $0) }, ("user", user)].compactMap { $0 }
    messages = try Self.checked { try TemplateList(turns.map { try Self.message($0.0, $0.1) }) }
  }

  private init(messages: TemplateList, like other: Conversation) {
    self.messages = messages
    tools = other.tools
    options = other.options
  }

  /// The conversation of a JSON object: `messages`, perhaps `tools`, and perhaps
  /// `chat_template_kwargs` with what else a template asks for (`enable_thinking`).
  ///
  /// - Throws: `SpeculateError` without a place when they are of other types.
  init(_ members: [String: JSONNode]) throws {
    guard let list = members["messages"], list.isArray else {
      throw SpeculateError("\"messages\" is not a list; give [{\"role\": …, \"content\": …}, …]")
    }
    messages = try Self.checked {
      try TemplateList(
        list.elements().map { node in
          guard let message = try TemplateValue(node).mapping, message["role"]?.text != nil else {
            throw SpeculateError(
              "a message is not an object with a \"role\"; give {\"role\": …, \"content\": …}")
          }
          return .mapping(try Self.namingReasoning(message))
        })
    }
    guard !messages.elements.isEmpty else {
      throw SpeculateError("\"messages\" is empty; give at least one message")
    }
    if let tools = members["tools"], !tools.isNull {
      guard tools.isArray else { throw SpeculateError("\"tools\" is not a list; correct it") }
      self.tools = try Self.checked { try TemplateValue(tools) }
    }
    try members["chat_template_kwargs"]?.forEachMember { key, value in
      if let key = key.string { options[key] = try Self.checked { try TemplateValue(value) } }
    }
  }

  private static func message(_ role: String, _ content: String) throws -> TemplateValue {
    .mapping(try TemplateMapping([("role", .string(role)), ("content", .string(content))]))
  }

  /// Reasoning goes by several names; templates find it under each, as transformers has it.
  private static func namingReasoning(_ message: TemplateMapping) throws -> TemplateMapping {
    let names = ["reasoning_content", "thinking", "reasoning"]
    guard let reasoning = names.lazy.compactMap({ message[$0] }).first(where: { !$0.isNull }) else {
      return message
    }
    return try TemplateMapping(
      [("thinking", reasoning)] + message.members + [("reasoning_content", reasoning)])
  }

  /// A problem of values is one of the conversation here, not of a template.
  private static func checked<T>(_ body: () throws -> T) throws -> T {
    do {
      return try body()
    } catch let problem as TemplateProblem {
      throw SpeculateError("the conversation can't be used: \(problem.message)")
    }
  }

  /// The same without the assistant's messages at its end, so that its answer comes next.
  ///
  /// - Throws: `SpeculateError` when nothing else is left.
  public func awaitingAnswer() throws -> Conversation {
    var rest = messages.elements
    while rest.last?.mapping?["role"]?.text == "assistant" { rest.removeLast() }
    guard !rest.isEmpty else {
      throw SpeculateError("holds only the assistant's messages; give a user's too")
    }
    return Conversation(messages: try Self.checked { try TemplateList(rest) }, like: self)
  }

  /// The same after the assistant's answer and what the user says to it.
  public func answered(_ answer: String, user: String) throws -> Conversation {
    Conversation(
      messages: try Self.checked {
        try TemplateList(
          messages.elements + [Self.message("assistant", answer), Self.message("user", user)])
      }, like: self)
  }

  /// The same with a system message in front, unless it has one.
  public func withSystem(_ system: String) throws -> Conversation {
    let roles = ["system", "developer"]
    if let role = messages.elements.first?.mapping?["role"]?.text, roles.contains(role) {
      return self
    }
    return Conversation(
      messages: try Self.checked {
        try TemplateList([Self.message("system", system)] + messages.elements)
      }, like: self)
  }
}
