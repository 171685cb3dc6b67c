import Files
package import Speculate
package import Tensors
package import Verifier

/// Lets the target go on from prompts, many at a time and with drafts.
///
/// The sequences of a ``DecodingLoop`` get the tokens of plain decoding, so these are exactly the outputs
/// that serving makes, and a response depends on its number alone, not on which others shared its
/// passes or on what was drafted.
package final class ResponseGenerator {
  private let runner: CausalRunner
  private let tasks: any ResponseTasks
  private let endTokens: Set<Token>
  /// How drafts are made; without them decoding is plain.
  private let drafts: ResponseDrafts?
  /// What was learned about drafting, to start the next response with.
  private var length: AdaptiveDraftLength?
  /// Decides how much all responses draft.
  private let budget: DraftBudget?
  private var idle: [Slot]
  private let detector = LoopDetector()

  /// The memory of one response.
  private struct Slot {
    var cache: KeyValueCache
    var source: (any DraftSource)?
  }

  /// One response in the making.
  private struct Answer {
    var number: Int
    var response: Response
    var slot: Slot
    var run: SequenceRun
  }

  /// Makes the run state.
  ///
  /// - Parameters:
  ///   - batch: How many responses are made at a time.
  ///   - drafts: What drafts; nil for plain decoding.
  package init(
    model: CausalModel, workers: Workers, tasks: any ResponseTasks, batch: Int,
    drafts: ResponseDrafts? = nil
  ) throws {
    runner = CausalRunner(
      model: model, workers: workers, maximumRows: max(batch, 64),
      taps: drafts?.drafter?.taps ?? [])
    self.tasks = tasks
    self.drafts = drafts
    endTokens = Set(tasks.endTokens)
    let capacity = tasks.longestPrompt + tasks.responseLength
    let sources = try drafts?.drafter?.makeSources(
      batch, target: model, workers: workers, capacity: capacity)
    idle = try (0..<batch).map { [runner] in
      Slot(cache: try runner.makeCache(capacity: capacity), source: sources?[$0])
    }
    let cost = try drafts.map { [runner] in
      try CostModel.current(
        runner: runner, drafter: $0.drafter, source: sources?.first, cache: $0.costCache,
        rows: runner.maximumRows)
    }
    length = cost.map { AdaptiveDraftLength($0) }
    budget = cost.map(DraftBudget.init)
  }

  /// Makes the responses of `numbers`.
  ///
  /// - Parameters:
  ///   - shouldStop: Asked between passes and prompts; those in the making are lost.
  ///   - progress: Told after each pass how many tokens were chosen since the start.
  ///   - emit: Given each response with its number as soon as it is made.
  /// - Returns: Whether all are made.
  /// - Throws: What `emit` throws, and `SpeculateError` for a prompt that can't be decoded.
  @discardableResult
  package func run(
    _ numbers: [Int], shouldStop: () -> Bool, progress: (_ tokens: Int) -> Void,
    emit: (Response, Int) throws -> Void
  ) throws -> Bool {
    let loop = DecodingLoop(runner: runner)
    var answers: [Answer] = []
    var (waiting, tokens) = (numbers[...], 0)
    defer { idle += answers.map(\.slot) }
    while !waiting.isEmpty || !answers.isEmpty {
      while !waiting.isEmpty, let slot = idle.popLast() {
        let answer = try begin(waiting.removeFirst(), slot)
        loop.add(answer.run)
        answers.append(answer)
        if shouldStop() { return false }
      }
      try loop.round()
      for index in answers.indices.reversed() {
        tokens += take(&answers[index])
        guard isComplete(answers[index].response) else { continue }
        let answer = answers.remove(at: index)
        try emit(end(answer), answer.number)
      }
      progress(tokens)
      if shouldStop() { return waiting.isEmpty && answers.isEmpty }
    }
    return true
  }

  private func begin(_ number: Int, _ slot: Slot) throws -> Answer {
    slot.cache.reset()
    let task = try tasks.task(number)
    let parameters = GenerationParameters(
      sampling: task.sampling, maximumTokens: tasks.responseLength, endTokens: tasks.endTokens)
    let strategy: any RoundStrategy =
      if let drafts, let length {
        DraftStrategy(
          source: slot.source, length: .adaptive(length), choice: .automatic(parameters.sampling),
          branches: DraftStrategy.usualBranches, free: FreeDraftOptions(suffix: drafts.suffix),
          budget: budget)
      } else { PlainStrategy() }
    return Answer(
      number: number,
      response: Response(
        tokens: task.prompt, promptLength: task.prompt.count, document: task.document),
      slot: slot,
      run: try SequenceRun(
        runner: runner, cache: slot.cache, prompt: task.prompt, parameters: parameters,
        strategy: strategy, isCancelled: { false }))
  }

  /// Takes the tokens of a round, as far as the response goes.
  ///
  /// - Returns: How many they are.
  private func take(_ answer: inout Answer) -> Int {
    let before = answer.response.tokens.count
    while !isComplete(answer.response), let token = answer.run.take() {
      answer.response.tokens.append(token)
    }
    return answer.response.tokens.count - before
  }

  private func isComplete(_ response: Response) -> Bool {
    let made = response.continuation
    guard let last = made.last else { return false }
    return endTokens.contains(last) || made.count >= tasks.responseLength
      || detector.endsInLoop(made) || tasks.isOver(made)
  }

  private func end(_ answer: Answer) -> Response {
    // A loop may have been noticed before the end of the round's tokens.
    answer.run.finish(.cancelled)
    if let learned = (answer.run.strategy as? DraftStrategy)?.learnedLength { length = learned }
    idle.append(answer.slot)
    var response = answer.response
    if let kept = detector.lengthUpToSecondPeriod(response.continuation) {
      response.tokens.removeLast(response.continuation.count - kept)
    }
    return response
  }
}

/// What drafts while a target answers. It decides speed, never a response.
package struct ResponseDrafts: Sendable {
  package var drafter: DrafterModel?
  /// Whether the end of the text is looked up in earlier text.
  package var suffix = true
  /// Where measured pass times are kept; nil to measure them every time.
  package var costCache: CostModelCache?
}

extension LoopDetector {
  /// How many tokens to keep of an output that ends in a loop: all up to the end of the loop's
  /// second period. Nil when it doesn't end in one.
  ///
  /// A drafter should see how a loop begins, but not one loop a hundred times.
  func lengthUpToSecondPeriod(_ tokens: some RandomAccessCollection<Token>) -> Int? {
    guard endsInLoop(tokens) else { return nil }
    let tokens = Array(tokens)
    for period in 1...Self.longestPeriod {
      var start = tokens.count - period  // of the stretch that repeats at the end
      while start > 0, tokens[start - 1] == tokens[start - 1 + period] { start -= 1 }
      if tokens.count - start >= Self.minimumLength { return min(tokens.count, start + 2 * period) }
    }
    return nil
  }
}
