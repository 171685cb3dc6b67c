import Files

/// What a request must keep to, for any thread to check before it waits.
struct BatchLimits: Sendable {
  /// The most tokens of a prompt and its output.
  var context: Int
  /// Tokens that the model has.
  var vocabulary: Int

  /// - Throws: ``SpeculateError`` if the request can't be decoded.
  func check(_ request: BatchRequest) throws(SpeculateError) {
    do {
      try request.validated()
      try request.mode.validated()
    } catch let error as SpeculateError {
      throw error
    } catch {
      throw SpeculateError("\(error)")
    }
    try request.parameters.sampling.checkBiases(vocabulary: vocabulary)
    try check(prompt: request.prompt)
    try check(request.prediction, "prediction")
  }

  private func check(prompt: [Token]) throws(SpeculateError) {
    guard !prompt.isEmpty else {
      throw SpeculateError(
        "the prompt has no tokens and the model no begin token: give at least one character")
    }
    guard prompt.count < context else {
      throw SpeculateError(
        "the prompt has \(prompt.count) tokens, but the context holds \(context) with at"
          + " least one to generate: shorten the prompt")
    }
    try check(prompt, "prompt")
  }

  private func check(_ tokens: [Token], _ name: String) throws(SpeculateError) {
    guard let stray = tokens.first(where: { $0 < 0 || $0 >= vocabulary }) else { return }
    throw SpeculateError(
      "the \(name) holds token \(stray), but the model has \(vocabulary) tokens:"
        + " use the tokenizer made for this model")
  }
}
