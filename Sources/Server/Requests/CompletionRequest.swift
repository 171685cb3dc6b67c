import Files
import Speculate

/// What `POST /v1/completions` asks for.
struct CompletionRequest {
  /// What to go on from.
  enum Prompt {
    case text(String)
    case ids([Token])
  }

  let model: String?
  let prompts: [Prompt]
  let sampling: SamplingFields
  /// Whether the answer begins with the prompt.
  let echo: Bool
  /// How many of the most probable tokens to tell at each place; nil for no log-probabilities.
  let logprobs: Int?
  let prediction: String?

  /// OpenAI's.
  private static let usualTokens = 16
  private static let mostPrompts = 2048

  init(_ fields: RequestFields, defaults: SamplingParameters, vocabulary: Int) throws {
    model = try fields.text("model")
    let tokens = try fields.integer("max_tokens", 0 ... .max) ?? Self.usualTokens
    sampling = try SamplingFields(fields, limit: tokens, defaults: defaults, vocabulary: vocabulary)
    echo = try fields.flag("echo") ?? false
    logprobs = try fields.integer("logprobs", 0...20)
    prediction = try Prediction.text(fields)
    prompts = try Self.prompts(fields, vocabulary: vocabulary)
    let answers = prompts.count * sampling.count
    guard answers <= Self.mostPrompts else {
      throw APIError.value(
        "n", "\(answers) answers are asked for; ask for \(Self.mostPrompts) at most")
    }
  }

  private static func prompts(_ fields: RequestFields, vocabulary: Int) throws -> [Prompt] {
    let kinds = "a text, a list of texts, ids, or a list of lists of ids"
    guard let node = fields.node("prompt") else { throw fields.missing("prompt", kinds) }
    if let text = node.string { return [.text(text)] }
    guard node.isArray else { throw fields.wrongType("prompt", kinds) }
    let elements = try node.elements()
    guard let first = elements.first else {
      throw APIError.value("prompt", "\"prompt\" is empty; give \(kinds)")
    }
    if first.isString || first.isArray {
      guard elements.count <= mostPrompts else {
        throw APIError.value(
          "prompt", "\"prompt\" holds \(elements.count) prompts; give \(mostPrompts) at most")
      }
    }
    if first.isString {
      return try elements.map { element in
        guard let text = element.string else { throw fields.wrongType("prompt", kinds) }
        return .text(text)
      }
    }
    if first.isArray {
      return try elements.map { element in
        guard element.isArray else { throw fields.wrongType("prompt", kinds) }
        return .ids(try ids(element.elements(), "prompt", vocabulary: vocabulary))
      }
    }
    return [.ids(try ids(elements, "prompt", vocabulary: vocabulary))]
  }

  /// Ids out of a list.
  static func ids(
    _ elements: [JSONNode], _ field: String, vocabulary: Int
  ) throws -> [Token] {
    try elements.map { element in
      guard let id = element.integer else {
        throw APIError.value(field, "\(quoted(field)) holds what is no id", code: "invalid_type")
      }
      guard (0..<vocabulary).contains(id) else {
        throw APIError.value(
          field, "\(quoted(field)) holds the id \(id); use 0 to \(vocabulary - 1)")
      }
      return Token(id)
    }
  }
}

/// Text that the answer will mostly repeat, which is a free draft.
enum Prediction {
  static func text(_ fields: RequestFields) throws -> String? {
    guard let prediction = try fields.object("prediction") else { return nil }
    guard try prediction.text("type") == "content" else {
      throw APIError.value("prediction.type", "\"prediction.type\" is not \"content\"; use that")
    }
    guard let content = prediction.node("content") else {
      throw prediction.missing("content", "a text")
    }
    return try TextContent.text(content, "prediction.content")
  }
}

/// Content as a text, or as parts of which each is one.
enum TextContent {
  /// - Throws: ``APIError`` naming the part that is no text.
  static func text(_ node: JSONNode, _ field: String) throws -> String {
    if let text = node.string { return text }
    guard node.isArray else {
      throw APIError.value(
        field, "\(quoted(field)) is neither a text nor a list of parts", code: "invalid_type")
    }
    return try node.elements().enumerated().map { index, part in
      let fields = try part.members()
      let name = "\(field)[\(index)]"
      guard let type = fields["type"]?.string else {
        throw APIError.value(
          "\(name).type", "\(quoted(name)) has no \"type\"; give {\"type\": \"text\", …}")
      }
      guard type == "text" else {
        throw APIError.value(
          "\(name).type", "parts of type \(quoted(type)) are not supported; give texts only",
          code: "unsupported_value")
      }
      guard let text = fields["text"]?.string else {
        throw APIError.value(
          "\(name).text", "\(quoted(name + ".text")) is not a text", code: "invalid_type")
      }
      return text
    }.joined()
  }
}
