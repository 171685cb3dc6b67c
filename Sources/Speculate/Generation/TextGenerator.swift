public import Files
public import Foundation
import Synchronization
public import Tensors
public import Text
package import Verifier

/// Generates text from a model folder, with a drafter's help if there is one.
///
/// Weights are shared and immutable; the run state serves one generation at a time, so concurrent
/// calls wait for each other. Plain and speculative decoding give the same output.
///
/// ```swift
/// let generator = try TextGenerator(target: targetFolder, drafter: drafterFolder)
/// try generator.generate("func ", onText: { print($0, terminator: "") })
///
/// var conversation = Conversation(system: "Be brief.", user: "What is a monad?")
/// let answer = try generator.chat(conversation, onText: { print($0, terminator: "") })
/// conversation.append(.assistant(answer.text))
/// ```
public final class TextGenerator: @unchecked Sendable {
  // Unchecked: `engine` and `watch` are only used by the holder of `lock`; everything else is immutable.

  private let text: TextModel
  package var tokenizer: any Tokenizer { text.tokenizer }
  package var model: CausalModel { text.model }
  package var drafter: DrafterModel? { text.drafter }

  /// What loading found that the user should know: sampling that a folder proposes and that isn't applied, a
  /// head that a configuration calls tied.
  public var notices: [Notice] { text.notices }

  private var watch = DrafterWatch()
  private let engine: GenerationEngine
  private let lock = NSLock()
  private let queue = DispatchQueue(label: "speculate.generation")

  /// Loads a target and, if given, a drafter from Hugging Face style folders.
  ///
  /// - Parameters:
  ///   - target: holds `config.json`, the weights and the tokenizer.
  ///   - drafter: holds `config.json` and the weights, of a drafter made for the target or of a causal
  ///     model with its vocabulary; `nil` for drafts from the text so far only.
  ///   - weights: how the target's matrices and embedding are held.
  ///   - drafterWeights: how the drafter's matrices are held; `nil` for its default.
  ///   - drafterPasses: passes of a causal drafter in a round; `nil` for one a draft.
  ///   - cacheFormat: how the target's keys and values are held.
  ///   - threads: threads of the team, at least 1; `nil` for one a core.
  ///   - chat: how conversations are written; by default as the target's folder says.
  ///   - costCache: where measured pass times are kept for later, the user's cache folder most often;
  ///     with `nil` the first speculative generation of every generator begins with a measurement,
  ///     which takes about a second.
  /// - Throws: ``SpeculateError`` if a folder cannot be used, or the drafter is for another target.
  public convenience init(
    target: URL, drafter: URL? = nil, weights: WeightFormatChoice = .stored,
    drafterWeights: WeightFormat? = nil, drafterPasses: Int? = nil,
    cacheFormat: KeyValueFormat = .f32, threads: Int? = nil,
    chat: ChatSettings = ChatSettings(), costCache: CostModelCache? = .user()
  ) throws {
    try self.init(
      TextModel(
        target: target, drafter: drafter, weights: weights, drafterWeights: drafterWeights,
        drafterPasses: drafterPasses, chat: chat),
      cacheFormat: cacheFormat, threads: threads ?? Workers.defaultCount, costCache: costCache)
  }

  /// Makes a generator of loaded parts.
  ///
  /// - Parameters:
  ///   - chats: writes conversations; without it there is no chat.
  ///   - costCache: where measured pass times are kept; `nil` to measure them every time.
  /// - Throws: ``SpeculateError`` if the drafter is for another target.
  package convenience init(
    model: CausalModel, tokenizer: any Tokenizer, chats: ChatEncoder? = nil,
    drafter: DrafterModel? = nil,
    cacheFormat: KeyValueFormat = .f32, threads: Int = Workers.defaultCount,
    costCache: CostModelCache? = nil
  ) throws {
    try self.init(
      TextModel(model: model, tokenizer: tokenizer, chats: chats, drafter: drafter),
      cacheFormat: cacheFormat, threads: threads, costCache: costCache)
  }

  private init(
    _ text: TextModel, cacheFormat: KeyValueFormat, threads: Int, costCache: CostModelCache?
  ) throws {
    self.text = text
    engine = try GenerationEngine(
      text, threads: threads, cacheFormat: cacheFormat, costCache: costCache)
  }

  /// The ids of a prompt, as the model's files prescribe them.
  ///
  /// - Parameter parsesSpecial: whether spellings of special tokens become those tokens; `nil` for as the chat
  ///   settings say, which is yes unless they are changed.
  /// - Throws: ``SpeculateError`` if the prompt is empty, or a pattern of the tokenizer can't cut it within
  ///   its limits.
  public func encode(_ prompt: String, parsesSpecial: Bool? = nil) throws -> [Token] {
    try text.encode(prompt, parsesSpecial: parsesSpecial)
  }

  /// The ids of a conversation, up to where the model's answer begins.
  ///
  /// - Throws: ``SpeculateError`` if the model has no chat template, or the template refuses the
  ///   conversation.
  public func encode(_ conversation: Conversation) throws -> [Token] {
    try encode(conversation, now: Date()).ids
  }

  /// The text and the ids of a conversation, for templates that write the date.
  ///
  /// - Parameter continuesAnswer: Whether they end with the assistant's last message, to go on from it.
  package func encode(
    _ conversation: Conversation, continuesAnswer: Bool = false, now: Date
  ) throws -> (text: String, ids: [Token]) {
    try text.encode(conversation, continuesAnswer: continuesAnswer, now: now)
  }

  /// Parameters for an answer in a chat, which the end of a turn ends as well.
  package func answering(_ parameters: GenerationParameters) -> GenerationParameters {
    text.answering(parameters)
  }

  /// Answers a conversation and returns when the answer is complete.
  ///
  /// The end of the assistant's turn ends the answer, unless the parameters name end tokens.
  ///
  /// - Parameters:
  ///   - onText: receives the answer as it comes, in whole characters.
  ///   - isCancelled: asked before every round.
  /// - Throws: ``SpeculateError`` if the model has no chat template, the template refuses the
  ///   conversation, or the parameters or the prompt cannot be decoded.
  @discardableResult
  public func chat(
    _ conversation: Conversation, parameters: GenerationParameters = GenerationParameters(),
    mode: DecodingMode = .speculative(), observer: (any RoundObserver)? = nil,
    onText: (String) -> Void = { _ in }, isCancelled: @escaping () -> Bool = { Task.isCancelled }
  ) throws -> GenerationResult {
    try generate(
      tokens: encode(conversation), parameters: answering(parameters), mode: mode,
      observer: observer, onText: onText, isCancelled: isCancelled)
  }

  /// Generates from a text and returns when the output is complete.
  ///
  /// - Parameters:
  ///   - observer: is told every round, on this thread.
  ///   - onText: receives the output as it comes, in whole characters. Joined, the pieces are the
  ///     result's text.
  ///   - isCancelled: asked before every round.
  /// - Throws: ``SpeculateError`` for parameters or a prompt that cannot be decoded.
  @discardableResult
  public func generate(
    _ prompt: String, parameters: GenerationParameters = GenerationParameters(),
    mode: DecodingMode = .speculative(), observer: (any RoundObserver)? = nil,
    onText: (String) -> Void = { _ in }, isCancelled: @escaping () -> Bool = { Task.isCancelled }
  ) throws -> GenerationResult {
    try generate(
      tokens: encode(prompt), parameters: parameters, mode: mode, observer: observer,
      onText: onText, isCancelled: isCancelled)
  }

  /// Generates from ids and returns when the output is complete.
  ///
  /// - Throws: ``SpeculateError`` for parameters or a prompt that cannot be decoded.
  @discardableResult
  public func generate(
    tokens prompt: [Token], parameters: GenerationParameters = GenerationParameters(),
    mode: DecodingMode = .speculative(), observer: (any RoundObserver)? = nil,
    onText: (String) -> Void = { _ in }, isCancelled: @escaping () -> Bool = { Task.isCancelled }
  ) throws -> GenerationResult {
    let parameters = text.ending(parameters)
    lock.lock()
    defer { lock.unlock() }
    let decoder = try engine.makeDecoder(
      prompt: prompt, parameters: parameters, mode: mode, observer: observer,
      isCancelled: isCancelled)
    defer { engine.retire(decoder) }
    return try read(decoder, prompt: prompt, stops: parameters.stopStrings, onText: onText)
  }

  /// Measures how long passes of target and drafter take on this machine now.
  ///
  /// - Parameters:
  ///   - context: positions before the passes, which take longer the more there are.
  ///   - budget: seconds to measure, about.
  /// - Returns: without a drafter, times of the target only.
  /// - Throws: ``SpeculateError`` when there is no memory for it.
  package func measureCost(context: Int = 64, budget: Double = 0.8) throws -> CostModel {
    lock.lock()
    defer { lock.unlock() }
    return try engine.measureCost(context: context, budget: budget)
  }

  /// Generates from a text on a thread of its own, as a sequence of events.
  ///
  /// Ending the iteration cancels the generation before its next round.
  public func stream(
    _ prompt: String, parameters: GenerationParameters = GenerationParameters(),
    mode: DecodingMode = .speculative()
  ) -> AsyncThrowingStream<GenerationEvent, any Error> {
    stream(parameters, mode) { try self.encode(prompt) }
  }

  /// Generates from ids on a thread of its own, as a sequence of events.
  ///
  /// Ending the iteration cancels the generation before its next round.
  public func stream(
    tokens prompt: [Token], parameters: GenerationParameters = GenerationParameters(),
    mode: DecodingMode = .speculative()
  ) -> AsyncThrowingStream<GenerationEvent, any Error> {
    stream(parameters, mode) { prompt }
  }

  /// Answers a conversation on a thread of its own, as a sequence of events.
  ///
  /// Ending the iteration cancels the generation before its next round.
  public func stream(
    chat conversation: Conversation, parameters: GenerationParameters = GenerationParameters(),
    mode: DecodingMode = .speculative()
  ) -> AsyncThrowingStream<GenerationEvent, any Error> {
    stream(answering(parameters), mode) { try self.encode(conversation) }
  }

  private func stream(
    _ parameters: GenerationParameters, _ mode: DecodingMode,
    prompt: @escaping @Sendable () throws -> [Token]
  ) -> AsyncThrowingStream<GenerationEvent, any Error> {
    AsyncThrowingStream { continuation in
      let isEnded = Flag()
      continuation.onTermination = { _ in isEnded.raise() }
      queue.async {
        do {
          let result = try self.generate(
            tokens: prompt(), parameters: parameters, mode: mode,
            onText: { continuation.yield(.text($0)) }, isCancelled: { isEnded.isRaised })
          continuation.yield(.finished(result))
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
    }
  }

  /// Takes tokens until the decoder or a stop string ends the output.
  private func read(
    _ decoder: Decoder, prompt: [Token], stops: [String], onText: (String) -> Void
  ) throws -> GenerationResult {
    var detokenizer = StreamingDetokenizer(tokenizer, continuing: true)
    var matcher = StopMatcher(stops)
    var text = ""
    var tokens: [Token] = []
    func give(_ piece: String) {
      guard !piece.isEmpty else { return }
      text += piece
      onText(piece)
    }
    while !matcher.hasStopped, let token = decoder.next() {
      tokens.append(token)
      give(matcher.append(detokenizer.append(token)))
    }
    if !matcher.hasStopped {
      if let failure = decoder.failure { throw failure }
      give(matcher.append(detokenizer.finish()))
      give(matcher.finish())
    }
    if matcher.hasStopped { decoder.stop() }
    var result = GenerationResult(
      prompt: prompt, tokens: tokens, text: text,
      finishReason: matcher.hasStopped ? .stopString : decoder.finishReason ?? .cancelled,
      statistics: decoder.statistics)
    if let drafter { result.notices = watch.notices(of: drafter, after: result) }
    return result
  }

  private final class Flag: Sendable {
    private let value = Atomic(false)
    var isRaised: Bool { value.load(ordering: .relaxed) }
    func raise() { value.store(true, ordering: .relaxed) }
  }
}
