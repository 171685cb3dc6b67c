import Files
import Speculate

/// What `POST /v1/chat/completions` asks for.
struct ChatRequest {
  let model: String?
  let messages: ChatMessages
  let sampling: SamplingFields
  /// How many of the most probable tokens to tell at each place; nil for no log-probabilities.
  let logprobs: Int?
  let prediction: String?

  init(_ fields: RequestFields, defaults: SamplingParameters, vocabulary: Int) throws {
    model = try fields.text("model")
    messages = try ChatMessages(fields)
    sampling = try SamplingFields(
      fields, limit: try Self.limit(fields), defaults: defaults, vocabulary: vocabulary)
    logprobs = try Self.logprobs(fields)
    prediction = try Prediction.text(fields)
    if messages.hasTools, sampling.parameters.constraint != nil {
      throw APIError.value(
        "tools",
        "an answer that is held to a grammar can't call functions; use \"tool_choice\": \"none\"")
    }
  }

  private static func limit(_ fields: RequestFields) throws -> Int? {
    let old = try fields.integer("max_tokens", 1 ... .max)
    let new = try fields.integer("max_completion_tokens", 1 ... .max)
    if let old, let new, old != new {
      throw APIError.value(
        "max_tokens",
        "\"max_tokens\" is \(old), but \"max_completion_tokens\" is \(new); give one of them")
    }
    return new ?? old
  }

  private static func logprobs(_ fields: RequestFields) throws -> Int? {
    let isOn = try fields.flag("logprobs") ?? false
    let top = try fields.integer("top_logprobs", 0...20)
    if let top, top > 0, !isOn {
      throw APIError.value("top_logprobs", "\"top_logprobs\" belong to \"logprobs\": true")
    }
    return isOn ? top ?? 0 : nil
  }
}
