import Speculate

/// Everything that one request has to be answered with.
struct AnswerPlan: Sendable {
  var choices: [Choice]
  let head: AnswerHead
  let shape: any AnswerShape
  let stream: Bool
  let includeUsage: Bool
  let tellsOrigins: Bool
  /// What the log is told of the request, if it is told at all.
  let prompts: [String]

  init(chat: ChatRequest, _ service: ModelService) throws {
    try service.checkName(chat.model)
    guard service.hasChat else {
      throw APIError.value(
        "messages", "the model has no chat template; use /v1/completions",
        code: "unsupported_value")
    }
    if chat.messages.hasTools, !service.writesTools {
      throw APIError.value(
        "tools", "the model's chat template writes no tools; leave them out",
        code: "unsupported_value")
    }
    let ids = try service.ids(chat.messages)
    try service.checkLength(ids, "messages")
    let prediction = try service.ids(prediction: chat.prediction)
    var sampling = chat.sampling
    if let tools = chat.messages.requiredTools {
      guard !sampling.parameters.ignoresEnd else {
        throw APIError.value("ignore_eos", "\"ignore_eos\" can't be with a call that is required")
      }
      sampling.parameters.constraint = try service.constraint(tools)
    }
    if sampling.parameters.constraint != nil { service.generator.text.vocabulary.prepare() }
    let spelling = service.spelling
    let ends = service.generator.answering(chat.sampling.parameters).endTokens ?? []
    choices = (0..<chat.sampling.count).map { index in
      Choice(
        index: index, promptIndex: 0,
        request: BatchRequest(
          prompt: ids,
          parameters: service.generator.answering(sampling.parameters(ofAnswer: index))
            .fitting(ids, in: service.generator.contextLength),
          mode: service.mode, scores: chat.logprobs, prediction: prediction),
        echo: nil,
        output: ChoiceOutput(
          tokenizer: spelling.tokenizer, syntax: chat.messages.hasTools ? service.syntax : nil,
          tellsScores: chat.logprobs != nil,
          hidden: chat.sampling.parameters.ignoresEnd ? [] : Set(ends)))
    }
    head = AnswerHead(prefix: "chatcmpl", model: service.name, fingerprint: service.fingerprint)
    shape = ChatShape(spelling: spelling, tellsScores: chat.logprobs != nil)
    (stream, includeUsage) = (chat.sampling.stream, chat.sampling.includeUsage)
    tellsOrigins = chat.sampling.origins
    prompts = [spelling.text(of: ids, skipSpecial: false)]
  }

  init(completion: CompletionRequest, _ service: ModelService) throws {
    try service.checkName(completion.model)
    let spelling = service.spelling
    let prediction = try service.ids(prediction: completion.prediction)
    let sampling = completion.sampling
    if sampling.parameters.constraint != nil { service.generator.text.vocabulary.prepare() }
    var choices: [Choice] = []
    var prompts: [String] = []
    for (place, prompt) in completion.prompts.enumerated() {
      let ids: [Token]
      let text: String
      switch prompt {
      case .text(let own): (ids, text) = (try service.ids(own), own)
      case .ids(let own): (ids, text) = (own, spelling.text(of: own, skipSpecial: true))
      }
      try service.checkLength(ids, "prompt")
      prompts.append(text)
      for index in 0..<sampling.count {
        var request = BatchRequest(
          prompt: ids, parameters: sampling.parameters(ofAnswer: index), mode: service.mode,
          scores: completion.logprobs,
          promptScores: completion.echo ? completion.logprobs : nil,
          generates: sampling.parameters.maximumTokens > 0, prediction: prediction)
        request.parameters = request.parameters.fitting(ids, in: service.generator.contextLength)
        choices.append(
          Choice(
            index: choices.count, promptIndex: place, request: request,
            echo: completion.echo ? text : nil,
            output: ChoiceOutput(
              tokenizer: spelling.tokenizer, tellsScores: completion.logprobs != nil)))
      }
    }
    self.choices = choices
    self.prompts = prompts
    head = AnswerHead(prefix: "cmpl", model: service.name, fingerprint: service.fingerprint)
    shape = CompletionShape(spelling: spelling, logprobs: completion.logprobs)
    (stream, includeUsage) = (sampling.stream, sampling.includeUsage)
    tellsOrigins = sampling.origins
  }
}

extension GenerationParameters {
  /// The same with as many tokens at most as fit behind a prompt, and at least 1.
  fileprivate func fitting(_ prompt: [Token], in context: Int) -> GenerationParameters {
    var own = self
    own.maximumTokens = max(1, min(maximumTokens, context - prompt.count))
    return own
  }
}

extension ModelService {
  /// The ids of a chat.
  func ids(_ messages: ChatMessages) throws -> [Token] {
    do {
      return try generator.encode(
        messages.conversation, continuesAnswer: messages.continuesAnswer)
    } catch {
      throw APIError.refused(error, parameter: "messages")
    }
  }

  /// The ids of a text.
  func ids(_ text: String) throws -> [Token] {
    do {
      return try generator.encode(text)
    } catch {
      throw APIError.refused(error, parameter: "prompt")
    }
  }

  /// The ids of a predicted output: text as it stands in the middle of an answer.
  fileprivate func ids(prediction text: String?) throws -> [Token] {
    guard let text, !text.isEmpty else { return [] }
    do {
      return try spelling.tokenizer.encode(text, addSpecial: false, parseSpecial: false)
    } catch {
      throw APIError.refused(error, parameter: "prediction.content")
    }
  }
}
