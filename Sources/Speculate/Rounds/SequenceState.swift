package import Files
package import Text
package import Verifier

/// One sequence as every decoder keeps it: committed tokens, how the next is chosen, and when
/// enough are there. It knows no model.
package struct SequenceState {
  /// The prompt and all committed tokens. The last is the anchor: committed, but the target has
  /// not computed its keys and values yet.
  package private(set) var tokens: [Token]
  /// Why no more tokens are committed.
  package private(set) var finishReason: FinishReason?
  /// What made it impossible to go on.
  package private(set) var failure: SpeculateError?
  package let sampling: SamplingParameters
  /// How drafts become tokens.
  let verification: Verification
  /// Which tokens are committed, for penalties.
  package let context: TokenPresence
  /// Where the output is in the grammar that it is held to; `nil` without one.
  package let constraint: ConstraintState?

  private var chooser: TokenChooser
  let vocabulary: Int
  /// Tokens that end the output.
  let endTokens: [Token]
  /// The most tokens, prompt included.
  private let limit: Int
  /// Whether the context ends the sequence before the token limit does.
  private let isShort: Bool
  /// How many of `tokens` were handed out.
  private var handedOut: Int

  /// Checks and starts a sequence.
  ///
  /// - Parameters:
  ///   - prompt: at least one token.
  ///   - parameters: limits and sampling; checked here.
  ///   - configuration: the target's vocabulary, end tokens and longest context.
  ///   - capacity: positions that the target's cache has room for.
  ///   - grammar: of the parameters' constraint, over the target's tokens.
  /// - Throws: ``SpeculateError`` for parameters out of range and prompts that cannot be decoded.
  package init(
    prompt: [Token], parameters: GenerationParameters, configuration: ModelConfiguration,
    capacity: Int, grammar: TokenGrammar? = nil
  ) throws {
    try parameters.validated()
    let vocabulary = configuration.vocabularySize
    let contextLimit = min(configuration.maximumContext, capacity)
    guard !prompt.isEmpty else {
      throw SpeculateError(
        "the prompt has no tokens and the model no begin token: give at least one character")
    }
    guard prompt.count < contextLimit else {
      throw SpeculateError(
        "the prompt has \(prompt.count) tokens, but the context holds \(contextLimit) with at"
          + " least one to generate: shorten the prompt")
    }
    if let stray = prompt.first(where: { $0 < 0 || $0 >= vocabulary }) {
      throw SpeculateError(
        "the prompt holds token \(stray), but the model has \(vocabulary) tokens:"
          + " use the tokenizer made for this model")
    }
    try parameters.sampling.checkBiases(vocabulary: vocabulary)
    tokens = prompt
    handedOut = prompt.count
    self.vocabulary = vocabulary
    let endTokens = parameters.endTokens(of: configuration.endTokens)
    self.endTokens = endTokens
    guard parameters.constraint == nil || grammar != nil else {
      throw SpeculateError("a constraint can't be used here: leave it out")
    }
    guard grammar == nil || !endTokens.isEmpty else {
      throw SpeculateError(
        "the model names no end token, but an output with a constraint ends with one: give end tokens"
      )
    }
    constraint = grammar.map { ConstraintState($0, endTokens: endTokens) }
    let (sum, overflow) = prompt.count.addingReportingOverflow(parameters.maximumTokens)
    isShort = overflow || sum > contextLimit
    limit = isShort ? contextLimit : sum
    sampling = parameters.sampling
    verification = parameters.usedVerification
    chooser = TokenChooser(sampling)
    context = TokenPresence(vocabulary: vocabulary, counts: sampling.usesCounts)
    for token in prompt { context.insert(token) }
    tokens.reserveCapacity(min(limit, prompt.count + 4096))
  }

  package var anchor: Token { tokens[tokens.count - 1] }

  package var remaining: Int { finishReason == nil ? limit - tokens.count : 0 }

  /// The target's own next token, from the row of the last committed token.
  ///
  /// A row with a logit that is NaN or infinite fails the sequence: the choice would be anything.
  ///
  /// - Parameter row: raw logits: [vocabulary]; may be overwritten.
  package mutating func choose(_ row: UnsafeMutablePointer<Float>) -> Token? {
    guard let constraint else {
      let token = guess(row, position: tokens.count)
      if token == nil { fail(.unusable("target", position: tokens.count)) }
      return token
    }
    do {
      let place = try constraint.currentPlace()
      let token = guess(row, position: tokens.count, place: place)
      if let token, place.allows(token) { return token }
      // There may be no telling what is allowed.
      _ = try place.computedMask()
      fail(
        token == nil
          ? .unusable("target", position: tokens.count) : .unspeakable(position: tokens.count))
    } catch {
      fail(error)
    }
    return nil
  }

  /// Turns a row into the logits of what the next token is drawn from, and draws none.
  ///
  /// A row with a logit that is NaN or infinite fails the sequence.
  ///
  /// - Parameters:
  ///   - row: raw logits: [vocabulary].
  ///   - drafts: what stands before the row behind the committed tokens: distinct, and none of them.
  /// - Returns: whether a token can be drawn.
  mutating func process(_ row: UnsafeMutablePointer<Float>, behind drafts: [Token]) -> Bool {
    let isSound = chooser.process(row, count: vocabulary, context: context, drafts: drafts)
    if !isSound { fail(.unusable("target", position: tokens.count)) }
    return isSound
  }

  /// What the target would choose at `position` if the row's text were the committed one: a guess,
  /// since the penalties of what stands between are not applied.
  ///
  /// - Parameters:
  ///   - row: raw logits: [vocabulary]; may be overwritten.
  ///   - place: where the text is in the grammar that it is held to; `nil` without one.
  /// - Returns: `nil` if a logit is NaN or infinite.
  package mutating func guess(
    _ row: UnsafeMutablePointer<Float>, position: Int, place: ConstraintPlace? = nil
  ) -> Token? {
    chooser.column(row, count: vocabulary, position: position, context: context, place: place).map {
      Token($0)
    }
  }

  /// Commits the target's choice.
  ///
  /// - Returns: `false` if the sequence ends with it.
  package mutating func commit(_ token: Token) -> Bool {
    tokens.append(token)
    context.insert(token, isOutput: true)
    do {
      try constraint?.commit(token)
    } catch {
      fail(error)
      return false
    }
    if endTokens.contains(token) {
      finishReason = .endToken
    } else if tokens.count == limit {
      finishReason = isShort ? .context : .length
    }
    return finishReason == nil
  }

  /// Ends the sequence by an error.
  package mutating func fail(_ error: SpeculateError) { failure = failure ?? error }

  /// Ends the sequence, unless it has ended.
  package mutating func finish(_ reason: FinishReason) {
    if finishReason == nil { finishReason = reason }
  }

  /// Ends the sequence behind the last token that was handed out.
  ///
  /// - Returns: How many tokens were committed behind it.
  mutating func stop() -> Int {
    let rest = tokens.count - handedOut
    tokens.removeLast(rest)
    finishReason = .stopString
    return rest
  }

  /// Whether every committed token was handed out.
  package var isTaken: Bool { handedOut == tokens.count }

  /// The next committed token that was not handed out yet.
  package mutating func take() -> Token? {
    guard handedOut < tokens.count else { return nil }
    handedOut += 1
    return tokens[handedOut - 1]
  }
}

extension SpeculateError {
  /// A vocabulary without tokens for what a grammar wants.
  static func unspeakable(position: Int) -> Self {
    SpeculateError(
      "no token of the model can go on as the grammar wants at position \(position): its vocabulary lacks the"
        + " characters; change the grammar")
  }

  /// Logits of a model that no token can be chosen of.
  ///
  /// - Parameter position: of the token, from 0.
  package static func unusable(_ model: String, position: Int) -> Self {
    SpeculateError(
      "the \(model)'s logits for position \(position) hold NaN or infinity: its weights are damaged or"
        + " too large; copy the \(model) again, or use another")
  }
}
