package import Files
import Foundation

/// A conversation that a chat template turns into a prompt.
public struct Conversation: Sendable {
  /// What one side says.
  public struct Message: Sendable {
    /// A mapping with `role` and most often `content`.
    let fields: TemplateMapping

    /// A message by anybody: templates know `system`, `user`, `assistant` and most often `tool`.
    public init(role: String, content: String) {
      fields = TemplateMapping(texts: [("role", role), ("content", content)])
    }

    fileprivate init(fields: TemplateMapping) { self.fields = fields }

    /// What the model is to be, or to do, throughout.
    public static func system(_ content: String) -> Message {
      Message(role: "system", content: content)
    }

    /// What the user says.
    public static func user(_ content: String) -> Message {
      Message(role: "user", content: content)
    }

    /// What the model answered.
    public static func assistant(_ content: String) -> Message {
      Message(role: "assistant", content: content)
    }

    fileprivate var role: String? { fields["role"]?.text }
  }

  /// What was said, in order.
  private(set) var messages: [Message]
  /// Descriptions of functions that the model may call, or none.
  private(set) var tools: TemplateValue = .null
  /// What else the template is told, by name.
  private(set) var options: [String: TemplateValue] = [:]

  /// A conversation of some messages.
  public init(messages: [Message] = []) { self.messages = messages }

  /// A conversation with a model that may call functions.
  ///
  /// - Parameter tools: a JSON object for each, `{"type": "function", "function": {…}}` most often.
  /// - Throws: ``SpeculateError`` naming the tool that is no JSON object.
  public init(messages: [Message] = [], tools: [String]) throws {
    self.messages = messages
    guard !tools.isEmpty else { return }
    let values = try tools.enumerated().map { index, text in
      let node = try JSONText(Data(text.utf8), name: "tool \(index + 1)").root
      guard node.isObject else {
        throw SpeculateError("tool \(index + 1) is not a JSON object; describe a function by one")
      }
      return try Self.checked { try TemplateValue(node) }
    }
    self.tools = .list(try Self.checked { try TemplateList(values) })
  }

  /// What a user says, perhaps after a system message.
  public init(system: String? = nil, user: String) {
    messages = [system.map(Message.system), .user(user)].compactMap { $0 }
  }

  /// The conversation of a JSON object: `messages`, perhaps `tools`, and perhaps
  /// `chat_template_kwargs` with what else a template asks for (`enable_thinking`).
  ///
  /// - Throws: `SpeculateError` without a place when they are of other types.
  package init(_ members: [String: JSONNode]) throws {
    guard let list = members["messages"], list.isArray else {
      throw SpeculateError("\"messages\" is not a list; give [{\"role\": …, \"content\": …}, …]")
    }
    messages = try list.elements().enumerated().map { index, node in
      guard let fields = try Self.checked({ try TemplateValue(node) }).mapping,
        fields["role"]?.text != nil
      else {
        throw SpeculateError(
          "a message is not an object with a \"role\"; give {\"role\": …, \"content\": …}")
      }
      try Self.checkParts(fields, of: index + 1)
      return Message(
        fields: try Self.checked { try Self.namingReasoning(Self.withoutNulls(fields)) })
    }
    guard !messages.isEmpty else {
      throw SpeculateError("\"messages\" is empty; give at least one message")
    }
    if let tools = members["tools"], !tools.isNull {
      guard tools.isArray else { throw SpeculateError("\"tools\" is not a list; correct it") }
      self.tools = try Self.checked { try TemplateValue(tools) }
    }
    options = try members["chat_template_kwargs"].map(ChatSettings.values) ?? [:]
  }

  /// Content in parts has to be of texts.
  private static func checkParts(_ message: TemplateMapping, of number: Int) throws {
    for part in message["content"]?.list?.elements ?? [] {
      let type = part.mapping?["type"]?.text
      guard type == "text", part.mapping?["text"]?.text != nil else {
        let problem =
          switch type {
          case nil: "no \"type\""
          case "text": "no \"text\""
          case let type?: "the type \(quoted(type)), which is not supported"
          }
        throw SpeculateError(
          "a part of message \(number) has \(problem); give {\"type\": \"text\", \"text\": …}")
      }
    }
  }

  /// What is null is absent, as transformers has it: an answer that only calls tools has no content.
  private static func withoutNulls(_ message: TemplateMapping) throws -> TemplateMapping {
    try TemplateMapping(message.members.filter { !$0.value.isNull })
  }

  /// Reasoning goes by several names; templates find it under each, as transformers has it.
  private static func namingReasoning(_ message: TemplateMapping) throws -> TemplateMapping {
    let names = ["reasoning_content", "thinking", "reasoning"]
    guard let reasoning = names.lazy.compactMap({ message[$0] }).first(where: { !$0.isNull }) else {
      return message
    }
    return try TemplateMapping(
      [(.string("thinking"), reasoning)] + message.members
        + [(.string("reasoning_content"), reasoning)])
  }

  /// A problem of values is one of the conversation here, not of a template.
  static func checked<T>(_ body: () throws -> T) throws -> T {
    do {
      return try body()
    } catch let problem as TemplateProblem {
      throw SpeculateError("the conversation can't be used: \(problem.message)")
    }
  }

  /// What the messages say, each part by itself.
  package var texts: [String] {
    messages.flatMap { message -> [String] in
      guard let content = message.fields["content"] else { return [] }
      if let text = content.text { return [text] }
      return content.list?.elements.compactMap { $0.mapping?["text"]?.text } ?? []
    }
  }

  /// Whether content comes in parts, `[{"type": "text", "text": …}, …]`.
  var hasParts: Bool { messages.contains { $0.fields["content"]?.list != nil } }

  /// The same with the texts of parts one below the other.
  func joiningParts() throws -> Conversation {
    try mappingContent { texts, _ in .string(texts.joined(separator: "\n")) }
  }

  /// The same with a mark for the text of each part, and the marks.
  func markingParts() throws -> (conversation: Conversation, marks: [String]) {
    var marks: [String] = []
    let marked = try mappingContent { texts, message in
      let own = texts.indices.map { "Message\(message)Part\($0)End" }
      marks += own
      return try .list(
        of: own.map { .mapping(TemplateMapping(texts: [("type", "text"), ("text", $0)])) })
    }
    return (marked, marks)
  }

  private func mappingContent(
    _ content: (_ texts: [String], _ message: Int) throws -> TemplateValue
  ) throws -> Conversation {
    var other = self
    for (index, message) in messages.enumerated() {
      guard let parts = message.fields["content"]?.list?.elements else { continue }
      let texts = parts.compactMap { $0.mapping?["text"]?.text }
      let members = try message.fields.members + [(.string("content"), content(texts, index))]
      other.messages[index] = Message(fields: try TemplateMapping(members))
    }
    return other
  }

  /// The messages as a JSON list, as a server's API takes them.
  ///
  /// - Throws: `SpeculateError` when a value is none of JSON's.
  package func messagesJSON() throws -> String {
    try Self.checked {
      var writer = TemplateJSONWriter()
      return try writer.text(of: .list(of: messages.map { .mapping($0.fields) }))
    }
  }

  /// The text of the assistant's message at the end, which its answer may go on from; nil where the
  /// last message is another's, or has no text.
  package var unfinishedAnswer: String? {
    guard let last = messages.last, last.role == "assistant", let content = last.fields["content"]
    else { return nil }
    return content.text ?? content.list?.elements.last?.mapping?["text"]?.text
  }

  /// The same with a text behind the assistant's message at the end.
  func extendingAnswer(by text: String) throws -> Conversation {
    guard let last = messages.last, let content = last.fields["content"] else { return self }
    var longer = TemplateValue.string((content.text ?? "") + text)
    if let parts = content.list?.elements, let part = parts.last?.mapping {
      let own: [(key: TemplateValue, value: TemplateValue)] = [
        (.string("text"), .string((part["text"]?.text ?? "") + text))
      ]
      longer = try .list(of: parts.dropLast() + [.mapping(TemplateMapping(part.members + own))])
    }
    var other = self
    other.messages[messages.count - 1] = Message(
      fields: try TemplateMapping(last.fields.members + [(.string("content"), longer)]))
    return other
  }

  /// The same with values for the template where it has none of its own.
  func with(_ settings: ChatSettings) -> Conversation {
    var other = self
    other.options.merge(settings.values) { own, _ in own }
    return other
  }

  /// The same with every text in messages, tools and values changed; names stay.
  func mappingTexts(_ change: (String) -> String) throws -> Conversation {
    func changed(_ value: TemplateValue) throws -> TemplateValue {
      switch value {
      case .string(let text): .string(change(text))
      case .list(let list): try .list(of: list.elements.map(changed), kind: list.kind)
      case .mapping(let mapping):
        .mapping(try TemplateMapping(mapping.members.map { ($0.key, try changed($0.value)) }))
      default: value
      }
    }
    var other = self
    other.messages = try messages.map { message in
      guard let fields = try changed(.mapping(message.fields)).mapping else { return message }
      return Message(fields: fields)
    }
    other.tools = try changed(tools)
    other.options = try options.mapValues(changed)
    return other
  }

  /// Adds what is said next: the model's answer, or what the user says to it.
  public mutating func append(_ message: Message) { messages.append(message) }

  /// The same without the assistant's messages at its end, so that its answer comes next.
  ///
  /// - Throws: ``SpeculateError`` when nothing else is left.
  package func awaitingAnswer() throws -> Conversation {
    var other = self
    while other.messages.last?.role == "assistant" { other.messages.removeLast() }
    guard !other.messages.isEmpty else {
      throw SpeculateError("holds only the assistant's messages; give a user's too")
    }
    return other
  }

  /// The same with a system message in front, unless it has one.
  package func withSystem(_ system: String) -> Conversation {
    if let role = messages.first?.role, ["system", "developer"].contains(role) { return self }
    var other = self
    other.messages.insert(.system(system), at: 0)
    return other
  }
}
