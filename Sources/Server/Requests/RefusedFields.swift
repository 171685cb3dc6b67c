import Files

/// Fields that other servers know, that would change an answer, and that this one doesn't compute.
///
/// A field that nobody knows is ignored, as OpenAI does. These are known, so that an answer without them
/// would not be what was asked for: they are refused by name, unless they have the value that does nothing.
enum RefusedFields {
  private struct Field {
    let name: String
    /// Values that change nothing, as JSON.
    let idle: [String]
    let advice: String
  }

  private static let all: [Field] = [
    Field(name: "suffix", idle: ["\"\""], advice: "leave it out"),
    Field(name: "best_of", idle: ["1"], advice: "use \"n\""),
    Field(name: "use_beam_search", idle: ["false"], advice: "leave it out"),
    Field(name: "length_penalty", idle: ["1", "1.0"], advice: "leave it out"),
    Field(name: "typical_p", idle: ["1", "1.0"], advice: "leave it out"),
    Field(name: "min_tokens", idle: ["0"], advice: "leave it out"),
    Field(name: "bad_words", idle: ["[]"], advice: "use \"logit_bias\""),
    Field(name: "allowed_token_ids", idle: [], advice: "use \"logit_bias\""),
    Field(
      name: "prompt_logprobs", idle: ["0"], advice: "use \"echo\" and \"logprobs\" of completions"),
    Field(name: "guided_whitespace_pattern", idle: [], advice: "leave it out"),
    Field(name: "structural_tag", idle: [], advice: "use \"tools\""),
    Field(name: "functions", idle: ["[]"], advice: "use \"tools\""),
    Field(name: "function_call", idle: ["\"none\"", "\"auto\""], advice: "use \"tool_choice\""),
    Field(name: "audio", idle: [], advice: "leave it out"),
    Field(name: "modalities", idle: ["[\"text\"]"], advice: "use [\"text\"]"),
    Field(name: "web_search_options", idle: [], advice: "leave it out"),
  ]

  /// - Throws: ``APIError`` naming the first such field of a request.
  static func check(_ fields: RequestFields) throws {
    for field in all {
      guard let node = fields.node(field.name) else { continue }
      let text = String(decoding: node.text.bytes[node.span], as: UTF8.self)
      guard !field.idle.contains(text.filter { !$0.isWhitespace }) else { continue }
      throw APIError.value(
        field.name, "\(quoted(field.name)) is not supported; \(field.advice)",
        code: "unsupported_parameter")
    }
  }
}
