import Drafter
import Files
import Speculate
import Synchronization
import Tensors
import TestSupport
import Testing
import Text

@Suite(.serialized) struct TextGeneratorTests {
  static let generator = Result {
    try TextGenerator(
      model: TinyModels.target, tokenizer: LetterTokenizer(),
      chats: ChatEncoder(
        directory: URL(filePath: "/nowhere"), tokenizer: LetterTokenizer(), settings: chats),
      drafter: .block(TinyModels.drafter(blockSize: 8)), threads: 1)
  }

  private static let chats = {
    var settings = ChatSettings()
    settings.template = .source("{% for m in messages %}{{ m.content }}{% endfor %}")
    return settings
  }()

  let generator: TextGenerator

  init() throws { generator = try Self.generator.get() }

  static let sampled = SamplingParameters(temperature: 1, seed: 5)
  static let modes: [DecodingMode] = [
    .plain, .speculative(), .speculative(drafts: 1), .speculative(drafts: 7, choice: .argmax),
    .speculative(drafts: 100, choice: .coupled),
  ]

  @Test func allModesGiveTheSameTextInWholeCharacters() throws {
    for (index, prompt) in ["a", "hello", "thequickbrownfox"].enumerated() {
      var parameters = GenerationParameters(sampling: Self.sampled, maximumTokens: 80)
      parameters.sampling.seed = UInt64(index)
      let plain = try generator.generate(prompt, parameters: parameters, mode: .plain)
      #expect(
        try plain.tokens.count > 10
          && plain.prompt
            == generator.tokenizer.encode(
              prompt, addSpecial: true)
      )
      // A lone half of a character is replaced, a whole one is not.
      let text = generator.tokenizer.decode(plain.tokens, skipSpecial: true)
      #expect(plain.text == text)
      for mode in Self.modes {
        var pieces: [String] = []
        let result = try generator.generate(prompt, parameters: parameters, mode: mode) {
          pieces.append($0)
        }
        #expect(result.tokens == plain.tokens && result.text == plain.text)
        #expect(result.finishReason == plain.finishReason)
        #expect(pieces.joined() == plain.text && !pieces.contains(""))
        #expect(result.statistics.generations == 1)
        #expect(result.statistics.emittedTokens == plain.tokens.count)
        #expect(result.statistics.decodeSeconds > 0)
      }
    }
  }

  @Test func stopStringsEndTheTextInsideABlock() throws {
    let parameters = GenerationParameters(
      sampling: Self.sampled, maximumTokens: 60, ignoresEnd: true)
    let whole = try generator.generate("stop", parameters: parameters, mode: .plain)
    let letters = Array(whole.text)
    for start in stride(from: 0, to: 40, by: 3) {
      var stopping = parameters
      stopping.stopStrings = [String(letters[start..<start + 3]), "neverthere"]
      let plain = try generator.generate("stop", parameters: stopping, mode: .plain)
      #expect(plain.finishReason == .stopString)
      #expect(whole.text.hasPrefix(plain.text) && plain.text.count <= start)
      #expect(whole.tokens.starts(with: plain.tokens))
      for mode in Self.modes {
        let result = try generator.generate("stop", parameters: stopping, mode: mode)
        #expect(result.text == plain.text && result.tokens == plain.tokens)
        #expect(result.finishReason == .stopString)
        #expect(result.statistics.emittedTokens == result.tokens.count)
      }
    }
  }

  @Test func cancellationKeepsWhatIsThere() throws {
    var rounds = 0
    let result = try generator.generate(
      "abc", parameters: GenerationParameters(sampling: Self.sampled, maximumTokens: 60),
      isCancelled: {
        rounds += 1
        return rounds > 3
      })
    #expect(result.finishReason == .cancelled && result.tokens.count < 60)
    #expect(result.text == generator.tokenizer.decode(result.tokens, skipSpecial: true))
  }

  @Test func aStreamDeliversTheSameText() async throws {
    let parameters = GenerationParameters(sampling: Self.sampled, maximumTokens: 50)
    let expected = try generator.generate("stream", parameters: parameters, mode: .plain)
    let streams = [
      generator.stream("stream", parameters: parameters),
      generator.stream(tokens: expected.prompt, parameters: parameters),
      generator.stream(
        chat: Conversation(messages: [.user("str"), .assistant("eam")]), parameters: parameters),
    ]
    for stream in streams {
      var text = ""
      var results: [GenerationResult] = []
      for try await event in stream {
        switch event {
        case .text(let piece): text += piece
        case .finished(let result): results.append(result)
        }
      }
      #expect(text == expected.text && results.map(\.tokens) == [expected.tokens])
    }
    await #expect(throws: SpeculateError("the prompt is empty: give at least one character")) {
      for try await _ in generator.stream("") {}
    }
  }

  /// The tokenizer's end token ends an answer even where the model names another, unless the caller does.
  @Test func aChatEndsWithTheTurn() throws {
    let conversation = Conversation(system: "b", user: "chat")
    let prompt = try generator.encode(conversation)
    #expect(try prompt == generator.encode("bchat"))
    var parameters = GenerationParameters(sampling: Self.sampled, maximumTokens: 120)
    parameters.sampling.temperature = 3
    let answer = try generator.chat(conversation, parameters: parameters)
    #expect(answer.tokens.last == 60 && answer.finishReason == .endToken)
    var pieces = ""
    parameters.endTokens = [answer.tokens[1]]
    let short = try generator.chat(conversation, parameters: parameters) { pieces += $0 }
    #expect(short.tokens.count <= 2 && pieces == short.text)
    #expect(generator.answering(parameters).endTokens == parameters.endTokens)
    #expect(generator.answering(GenerationParameters()).endTokens == [60])
  }

  @Test func concurrentCallsTakeTurns() async throws {
    let parameters = GenerationParameters(sampling: Self.sampled, maximumTokens: 40)
    let expected = try generator.generate("turns", parameters: parameters, mode: .plain).tokens
    let generator = generator
    let all = try await withThrowingTaskGroup(of: [Token].self) { group in
      for _ in 0..<8 {
        group.addTask { try generator.generate("turns", parameters: parameters).tokens }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(all.count == 8 && all.allSatisfy { $0 == expected })
  }

  @Test func mistakesAreNamed() throws {
    #expect(throws: SpeculateError("the prompt is empty: give at least one character")) {
      try generator.generate("")
    }
    #expect(throws: SpeculateError("draft length 0 is out of range: use 1 or more")) {
      try generator.generate("a", mode: .speculative(drafts: 0))
    }
    #expect(throws: SpeculateError("max tokens 0 is out of range: use 1 or more")) {
      try generator.generate("a", parameters: GenerationParameters(maximumTokens: 0))
    }
    #expect(
      throws: SpeculateError(
        "the prompt has 161 tokens, but the context holds 160 with at least one to generate:"
          + " shorten the prompt")
    ) { try generator.generate(String(repeating: "a", count: 161)) }
    #expect(
      throws: SpeculateError("this generator has no chat template: make it of a model's folder")
    ) {
      try TextGenerator(model: TinyModels.target, tokenizer: LetterTokenizer(), threads: 1)
        .chat(Conversation(user: "a"))
    }
    #expect(throws: SpeculateError("threads 0 is out of range: use 1 or more")) {
      _ = try TextGenerator(
        model: TinyModels.target, tokenizer: LetterTokenizer(), threads: 0)
    }
  }

  @Test func aDrafterForAnotherTargetIsRefused() throws {
    let good = TinyModels.drafter(blockSize: 8).configuration
    let target = TinyModels.configuration
    func message(_ change: (inout DrafterConfiguration) -> Void) -> String? {
      var drafter = good
      change(&drafter)
      do {
        try BlockDraftSource.checkFit(drafter, target: target)
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(message { _ in } == nil)
    let advice = ": use a drafter made for this target, or none"
    #expect(
      message { $0.vocabularySize = 100 }
        == "the drafter was made for a target with a vocabulary of 100, but this target has 61"
        + advice)
    #expect(
      message { $0.shape.hidden = 64 }
        == "the drafter was made for a target with width 64, but this target has 32" + advice)
    #expect(
      message { $0.targetLayerCount = 12 }
        == "the drafter was made for a target with a number of layers of 12, but this target has 2"
        + advice)
    #expect(
      message { $0.targetLayers = [0, 2] }
        == "the drafter reads target layer 2, but the target's layers are 0 to 1" + advice)
    #expect(
      message { $0.maskToken = 61 }
        == "the drafter's mask token 61 is outside the target's vocabulary of 61" + advice)
    #expect(
      message { $0.blockSize = 1 }
        == "the drafter's block size is 1, but a block needs the anchor and at least one draft:"
        + " use 2 or more")
  }
}
