import Files
import Speculate
import Text

/// The messages of a chat and what its template is told besides.
struct ChatMessages {
  let conversation: Conversation
  /// Whether functions are described, and the answer may call them.
  let hasTools: Bool
  /// Functions of which the answer has to call one; nil where it needn't.
  let requiredTools: RequiredTools?
  /// Whether the last message is the beginning of the answer.
  let continuesAnswer: Bool

  /// Reads `messages`, `tools`, `tool_choice`, `chat_template_kwargs`, `reasoning_effort`,
  /// `add_generation_prompt` and `continue_final_message`.
  ///
  /// - Throws: ``APIError`` naming the field that is wrong.
  init(_ fields: RequestFields) throws {
    guard let list = try fields.list("messages") else {
      throw fields.missing("messages", "[{\"role\": …, \"content\": …}, …]")
    }
    guard !list.isEmpty else {
      throw APIError.value("messages", "\"messages\" is empty; give at least one message")
    }
    for (index, message) in list.enumerated() {
      guard message.isObject else {
        throw APIError.value(
          "messages[\(index)]", "\"messages[\(index)]\" is not an object", code: "invalid_type")
      }
      try Self.check(RequestFields(message, path: "messages[\(index)]"))
    }
    let choice = try ToolChoice(fields)
    let tools = try Self.tools(fields)
    hasTools = !tools.isEmpty && choice != .none
    requiredTools = try choice.required(tools, fields)
    continuesAnswer = try fields.flag("continue_final_message") ?? false
    let adds = try fields.flag("add_generation_prompt")
    if continuesAnswer, adds == true {
      throw APIError.value(
        "continue_final_message",
        "\"continue_final_message\" and \"add_generation_prompt\" can't both be true; leave one out"
      )
    }
    var members: [String: JSONNode] = [:]
    members["messages"] = try Self.withParsedArguments(list)
    if hasTools { members["tools"] = fields.node("tools") }
    var values: [(String, String)] = []
    if let adds, !continuesAnswer { values.append(("add_generation_prompt", "\(adds)")) }
    if let effort = try fields.text("reasoning_effort") {
      values.append(("reasoning_effort", jsonLiteral(effort)))
    }
    members["chat_template_kwargs"] = try Self.values(fields, values)
    do {
      conversation = try Conversation(members)
    } catch {
      throw APIError.refused(error, parameter: "messages")
    }
    if continuesAnswer, conversation.unfinishedAnswer == nil {
      throw APIError.value(
        "continue_final_message", "the last message is no text of the assistant's to go on from")
    }
  }

  private static func check(_ message: RequestFields) throws {
    guard let role = try message.text("role") else { throw message.missing("role", "a text") }
    if let content = message.node("content") {
      _ = try TextContent.text(content, message.name("content"))
    } else if role != "assistant" {
      throw message.missing("content", "a text")
    }
    for (index, call) in (try message.list("tool_calls") ?? []).enumerated() {
      let name = "\(message.name("tool_calls"))[\(index)]"
      guard call.isObject, let function = try call.members()["function"], function.isObject,
        try function.members()["name"]?.isString == true
      else {
        throw APIError.value(
          name, "\(quoted(name)) is no call; give {\"function\": {\"name\": …, \"arguments\": …}}")
      }
    }
  }

  private static func tools(_ fields: RequestFields) throws -> [JSONNode] {
    let tools = try fields.list("tools") ?? []
    for (index, tool) in tools.enumerated() {
      let members = try tool.members()
      guard members["type"]?.string == "function",
        try members["function"]?.members()["name"]?.isString == true
      else {
        throw APIError.value(
          "tools[\(index)]",
          "\"tools[\(index)]\" is no function; give {\"type\": \"function\", \"function\": {\"name\": …, …}}"
        )
      }
    }
    return tools
  }

  /// The messages with the arguments of calls as objects: clients send them as JSON in a text, and templates
  /// write them as JSON again.
  private static func withParsedArguments(_ messages: [JSONNode]) throws -> JSONNode? {
    guard let text = messages.first?.text else { return nil }
    var bytes: [UInt8] = [UInt8(ascii: "[")]
    for (index, message) in messages.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      var end = message.span.lowerBound
      for (number, call) in (try message.members()["tool_calls"]?.elements() ?? []).enumerated() {
        guard let arguments = try call.members()["function"]?.members()["arguments"],
          let content = arguments.stringBytes
        else { continue }
        let name = "messages[\(index)].tool_calls[\(number)].function.arguments"
        guard let parsed = try? JSONText(Array(content), name: name), parsed.root.isObject else {
          throw APIError.value(name, "\(quoted(name)) is not the text of a JSON object")
        }
        bytes += text.bytes[end..<arguments.span.lowerBound]
        bytes += content
        end = arguments.span.upperBound
      }
      bytes += text.bytes[end..<message.span.upperBound]
    }
    bytes.append(UInt8(ascii: "]"))
    return try JSONText(bytes, name: "\"messages\"").root
  }

  /// `chat_template_kwargs` with more values.
  private static func values(
    _ fields: RequestFields, _ more: [(String, String)]
  ) throws -> JSONNode? {
    let node = fields.node("chat_template_kwargs")
    if let node, !node.isObject {
      throw fields.wrongType("chat_template_kwargs", "an object")
    }
    if let node {
      do {
        _ = try ChatSettings(values: String(decoding: node.text.bytes[node.span], as: UTF8.self))
      } catch {
        throw APIError.refused(error, parameter: "chat_template_kwargs")
      }
    }
    guard !more.isEmpty else { return node }
    var parts: [String] = []
    try node?.forEachMember { key, value in
      guard !more.contains(where: { $0.0 == key.string }) else { return }
      parts.append(
        String(
          decoding: value.text.bytes[key.span.lowerBound..<value.span.upperBound], as: UTF8.self))
    }
    parts += more.map { "\(jsonLiteral($0.0)): \($0.1)" }
    return try JSONText(Array("{\(parts.joined(separator: ","))}".utf8)).root
  }
}

/// Whether an answer may call functions, or has to.
enum ToolChoice: Equatable {
  case none
  case auto
  case required
  /// It has to call this one, once.
  case function(String)

  /// - Throws: ``APIError`` for what is no choice.
  init(_ fields: RequestFields) throws {
    guard let node = fields.node("tool_choice") else {
      self = .auto
      return
    }
    switch node.string {
    case "none": self = .none
    case "auto": self = .auto
    case "required": self = .required
    default:
      guard let name = try node.members()["function"]?.members()["name"]?.string else {
        throw APIError.value(
          "tool_choice",
          "\"tool_choice\" is none of \"none\", \"auto\", \"required\" and "
            + "{\"type\": \"function\", \"function\": {\"name\": …}}; use one of them")
      }
      self = .function(name)
    }
  }

  /// The functions of which the answer has to call one; nil where it needn't.
  ///
  /// - Throws: ``APIError`` where there is none.
  func required(_ tools: [JSONNode], _ fields: RequestFields) throws -> RequiredTools? {
    var isRepeated = try fields.flag("parallel_tool_calls") ?? true
    var functions = try tools.enumerated().map { index, tool in
      let function = try tool.members()["function"]?.members() ?? [:]
      let place = "tools[\(index)].function.parameters"
      let parameters = function["parameters"].flatMap { $0.isNull ? nil : $0 }
      return CalledFunction(
        name: function["name"]?.string ?? "",
        parameters: parameters.map { String(decoding: $0.text.bytes[$0.span], as: UTF8.self) },
        place: quoted(place))
    }
    switch self {
    case .none, .auto: return nil
    case .required:
      guard !functions.isEmpty else {
        throw APIError.value(
          "tool_choice", "\"tool_choice\" requires a call, but there are no \"tools\"")
      }
    case .function(let name):
      functions = functions.filter { $0.name == name }
      guard functions.count == 1 else {
        throw APIError.value("tool_choice", "there is no function \(quoted(name)) among \"tools\"")
      }
      isRepeated = false
    }
    return RequiredTools(functions: functions, isRepeated: isRepeated)
  }
}
