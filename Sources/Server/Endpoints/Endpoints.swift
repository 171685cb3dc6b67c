import Files
import HTTPTypes
import Hummingbird
import Speculate
import Text
import Verifier

/// What each path answers.
struct Endpoints: Sendable {
  let state: ServerState
  let version: String

  func health() -> Response {
    do {
      _ = try state.ready()
      return Reply.json(.object(["status": .string("ok")]))
    } catch {
      return Reply.error(.refused(error))
    }
  }

  func versions() -> Response { Reply.json(.object(["version": .string(version)])) }

  func models(_ started: Int) throws -> Response {
    let service = try state.ready()
    return Reply.json(
      .object([
        "object": .string("list"),
        "data": .array([
          .object([
            "id": .string(service.name), "object": .string("model"), "created": .integer(started),
            "owned_by": .string("speculate"),
            "max_model_len": .integer(service.generator.contextLength),
            "speculate": .object(["chat": .bool(service.hasChat)]),
          ])
        ]),
      ]))
  }

  func metrics() -> Response {
    let service = state.service
    return Reply.text(
      MetricsPage.text(service?.generator.metrics ?? BatchMetrics(), model: service?.name ?? ""),
      type: "text/plain; version=0.0.4; charset=utf-8")
  }

  func page() -> Response {
    let nonce = String(UInt64.random(in: 0 ... .max), radix: 36)
    var response = Reply.text(ChatPage.html(nonce: nonce), type: "text/html; charset=utf-8")
    response.headers[.contentSecurityPolicy] = ChatPage.policy(nonce: nonce)
    response.headers[.xContentTypeOptions] = "nosniff"
    if let policy = HTTPField.Name("Referrer-Policy") { response.headers[policy] = "no-referrer" }
    return response
  }

  /// What vLLM tells of a tokenizer, by which lm-eval uses one from afar.
  func tokenizer() throws -> Response {
    let service = try state.ready()
    let tokenizer = service.spelling.tokenizer
    func spelled(_ token: Token?) -> JSONValue {
      token.flatMap(tokenizer.piece).map(JSONValue.string) ?? .null
    }
    let ends = service.generator.text.model.configuration.endTokens + tokenizer.endTokens
    return Reply.json(
      .object([
        "tokenizer_class": .string("speculate"), "bos_token": spelled(tokenizer.beginToken),
        "eos_token": spelled(ends.first), "pad_token": .null,
        "chat_template": service.template.map { .string($0.usual) } ?? .null,
        "max_model_len": .integer(service.generator.contextLength),
      ]))
  }

  func tokenize(_ fields: RequestFields) throws -> Response {
    let service = try state.ready()
    try service.checkName(fields.text("model"))
    let ids: [Token]
    switch try TokenizeRequest(fields) {
    case .chat(let messages): ids = try service.ids(messages)
    case .text(let text, let addsSpecial):
      do {
        ids = try service.spelling.tokenizer.encode(
          text, addSpecial: addsSpecial, parseSpecial: true)
      } catch {
        throw APIError.refused(error, parameter: "prompt")
      }
    }
    return Reply.json(
      .object([
        "tokens": .array(ids.map { .integer(Int($0)) }), "count": .integer(ids.count),
        "max_model_len": .integer(service.generator.contextLength),
      ]))
  }

  func detokenize(_ fields: RequestFields) throws -> Response {
    let service = try state.ready()
    try service.checkName(fields.text("model"))
    let request = try DetokenizeRequest(fields, vocabulary: service.vocabulary)
    let text = service.spelling.text(of: request.tokens, skipSpecial: false)
    return Reply.json(.object(["prompt": .string(text), "content": .string(text)]))
  }

  func plan(chat fields: RequestFields) throws -> AnswerPlan {
    let service = try state.ready()
    return try AnswerPlan(
      chat: ChatRequest(fields, defaults: service.defaults, vocabulary: service.vocabulary),
      service)
  }

  func plan(completion fields: RequestFields) throws -> AnswerPlan {
    let service = try state.ready()
    return try AnswerPlan(
      completion: CompletionRequest(
        fields, defaults: service.defaults, vocabulary: service.vocabulary), service)
  }
}
