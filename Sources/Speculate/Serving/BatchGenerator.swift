public import Files
public import Foundation
public import Tensors
public import Text

/// Generates for many requests at once: continuous batching with drafts for every sequence.
///
/// Requests join and leave between rounds, and one pass of the drafter and one of the target serve all of
/// them. Each answer is to the bit what ``TextGenerator`` gives for it alone: the rows of a pass don't
/// depend on one another, and drafts decide speed only. A thread of its own decodes; every method may be
/// called from any thread.
///
/// ```swift
/// let generator = try BatchGenerator(target: targetFolder, drafter: drafterFolder)
/// let prompt = try generator.encode("func ")
/// for try await event in try generator.submit(BatchRequest(prompt: prompt)) {
///   if case .token(let token) = event { print(token.text, terminator: "") }
/// }
/// await generator.drain()
/// ```
public final class BatchGenerator: Sendable {
  package let text: TextModel
  /// How much it takes on at once.
  public let settings: BatchSettings
  private let scheduler: BatchScheduler

  /// Loads a target and, if given, a drafter from Hugging Face style folders or GGUF files, and starts.
  ///
  /// - Parameters: as of ``TextGenerator/init(target:drafter:weights:drafterWeights:drafterPasses:cacheFormat:threads:chat:costCache:)``;
  ///   `settings` says how much it takes on at once.
  /// - Throws: ``SpeculateError`` if a folder cannot be used, the drafter is for another target, or a
  ///   setting is out of range.
  public convenience init(
    target: URL, drafter: URL? = nil, weights: WeightFormatChoice = .stored,
    drafterWeights: WeightFormat? = nil, drafterPasses: Int? = nil,
    cacheFormat: KeyValueFormat = .f32, threads: Int? = nil,
    chat: ChatSettings = ChatSettings(), costCache: CostModelCache? = .user(),
    settings: BatchSettings = BatchSettings()
  ) throws {
    try self.init(
      TextModel(
        target: target, drafter: drafter, weights: weights, drafterWeights: drafterWeights,
        drafterPasses: drafterPasses, chat: chat),
      settings: settings, cacheFormat: cacheFormat, threads: threads ?? Workers.defaultCount,
      costCache: costCache)
  }

  /// Starts with loaded parts.
  ///
  /// - Parameters:
  ///   - cost: what passes take; `nil` to measure it, or read it from `costCache`.
  /// - Throws: ``SpeculateError`` if the drafter is for another target, or a setting is out of range.
  package init(
    _ text: TextModel, settings: BatchSettings = BatchSettings(),
    cacheFormat: KeyValueFormat = .f32,
    threads: Int = Workers.defaultCount, costCache: CostModelCache? = nil, cost: CostModel? = nil
  ) throws {
    self.text = text
    self.settings = try settings.validated()
    scheduler = BatchScheduler(
      try BatchEngine(
        text, settings: settings, cacheFormat: cacheFormat, threads: threads, costCache: costCache,
        cost: cost), tokenizer: text.tokenizer, settings: settings)
    scheduler.start()
  }

  deinit { scheduler.stop() }

  /// What loading found that the user should know.
  public var notices: [Notice] { text.notices }

  /// The most tokens of a prompt and its output together.
  public var contextLength: Int { scheduler.limits.context }

  /// The ids of a prompt, as the model's files prescribe them.
  ///
  /// - Parameter parsesSpecial: whether spellings of special tokens become those tokens; `nil` for as the
  ///   chat settings say.
  /// - Throws: ``SpeculateError`` if the prompt is empty, or a pattern of the tokenizer can't cut it.
  public func encode(_ prompt: String, parsesSpecial: Bool? = nil) throws -> [Token] {
    try text.encode(prompt, parsesSpecial: parsesSpecial)
  }

  /// The ids of a conversation.
  ///
  /// - Parameters:
  ///   - addsGenerationPrompt: whether they end with what stands in front of the model's answer.
  ///   - continuesAnswer: whether they end with the assistant's last message, to go on from it.
  /// - Throws: ``SpeculateError`` if the model has no chat template, or it refuses the conversation.
  public func encode(
    _ conversation: Conversation, addsGenerationPrompt: Bool = true, continuesAnswer: Bool = false
  ) throws -> [Token] {
    try text.encode(
      conversation, addsGenerationPrompt: addsGenerationPrompt, continuesAnswer: continuesAnswer,
      now: Date()
    ).ids
  }

  /// Parameters for an answer in a chat, which the end of a turn ends as well.
  public func answering(_ parameters: GenerationParameters) -> GenerationParameters {
    text.answering(parameters)
  }

  /// Takes a request; it joins the rounds when there is room.
  ///
  /// - Returns: its events. Letting go of them cancels it.
  /// - Throws: ``SubmissionError`` if it can't be decoded, too many wait, or the generator is shutting down.
  public func submit(_ request: BatchRequest) throws(SubmissionError) -> BatchStream {
    var request = request
    request.parameters = text.ending(request.parameters)
    return try scheduler.submit(request)
  }

  /// What is going on, and what has been; it waits for nothing but a copy.
  public var metrics: BatchMetrics { scheduler.metrics }

  /// Whether requests are taken.
  public var isOpen: Bool { scheduler.isOpen }

  /// Takes no more requests, and returns when those that are there have ended.
  public func drain() async { await scheduler.end(.draining) }

  /// Takes no more requests, cancels those that are there, and returns when they have ended.
  public func shutdown() async { await scheduler.end(.stopping) }
}
