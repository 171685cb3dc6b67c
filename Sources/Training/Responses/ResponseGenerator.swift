import Files
import Speculate
public import Tensors
public import Verifier

/// Lets the target answer prompts, many at a time.
///
/// A row of a batch is to the bit what a pass of its own would give, so these are exactly the
/// outputs that serving makes, and a response depends on its number alone, not on which others
/// shared its passes.
public final class ResponseGenerator {
  private let runner: CausalRunner
  private let prompts: PromptSource
  private let settings: ResponseSettings
  private let endTokens: Set<Token>
  private let batch: Int
  private var idle: [KeyValueCache] = []
  private let detector = LoopDetector()

  /// One response in the making.
  private struct Slot {
    var number: Int
    var response: Response
    var cache: KeyValueCache
    var chooser: TokenChooser
    var seen: TokenPresence
  }

  /// Makes the run state.
  ///
  /// - Parameter batch: How many responses are made at a time.
  public init(
    model: CausalModel, workers: Workers, prompts: PromptSource, settings: ResponseSettings,
    batch: Int
  ) throws {
    runner = CausalRunner(model: model, workers: workers, maximumRows: max(batch, 64))
    self.prompts = prompts
    self.settings = settings
    self.batch = batch
    endTokens = Set(prompts.endTokens(of: model.configuration.endTokens))
    idle = try (0..<batch).map { _ in
      try runner.makeCache(capacity: settings.longestPrompt + settings.responseLength)
    }
  }

  /// Makes the responses of `numbers`.
  ///
  /// - Parameters:
  ///   - shouldStop: Asked between passes; those in the making are lost.
  ///   - progress: Told after each pass how many tokens were chosen since the start.
  ///   - emit: Given the responses in the order of their numbers.
  /// - Returns: Whether all are made.
  @discardableResult
  public func run(
    _ numbers: Range<Int>, shouldStop: () -> Bool, progress: (_ tokens: Int) -> Void,
    emit: (Response) throws -> Void
  ) throws -> Bool {
    var slots: [Slot] = []
    var finished: [Int: Response] = [:]
    var (next, nextOut, tokens) = (numbers.lowerBound, numbers.lowerBound, 0)
    defer { idle += slots.map(\.cache) }
    while nextOut < numbers.upperBound {
      if shouldStop() { return false }
      while next < numbers.upperBound, let cache = idle.popLast() {
        let slot = begin(next, cache)
        next += 1
        tokens += 1
        if isComplete(slot.response) {
          retire(slot, into: &finished)
        } else {
          slots.append(slot)
        }
      }
      if !slots.isEmpty {
        advance(&slots)
        tokens += slots.count
        var active: [Slot] = []
        for slot in slots {
          if isComplete(slot.response) {
            retire(slot, into: &finished)
          } else {
            active.append(slot)
          }
        }
        slots = active
      }
      while let response = finished.removeValue(forKey: nextOut) {
        try emit(response)
        nextOut += 1
      }
      progress(tokens)
    }
    return true
  }

  private func begin(_ number: Int, _ cache: KeyValueCache) -> Slot {
    cache.reset()
    let prompt = prompts.prompt(number)
    var slot = Slot(
      number: number,
      response: Response(
        tokens: prompt, promptLength: prompt.count, document: prompts.document(ofPrompt: number)),
      cache: cache, chooser: TokenChooser(settings.sampling(number)),
      seen: TokenPresence(vocabulary: 0))
    runner.prefill(prompt, cache: cache)
    choose(&slot, row: 0)
    return slot
  }

  private func advance(_ slots: inout [Slot]) {
    runner.forward(
      batch: slots.map { $0.response.tokens[$0.response.tokens.count - 1] },
      caches: slots.map(\.cache), logits: .all)
    for row in slots.indices { choose(&slots[row], row: row) }
  }

  private func choose(_ slot: inout Slot, row: Int) {
    let vocabulary = runner.model.configuration.vocabularySize
    let column = slot.chooser.column(
      runner.logits + row * vocabulary, count: vocabulary, position: slot.response.tokens.count,
      context: slot.seen)
    slot.response.tokens.append(Token(column))
  }

  private func isComplete(_ response: Response) -> Bool {
    let made = response.continuation
    guard let last = made.last else { return false }
    return endTokens.contains(last) || made.count >= settings.responseLength
      || detector.endsInLoop(made)
  }

  private func retire(_ slot: Slot, into finished: inout [Int: Response]) {
    var response = slot.response
    if let kept = detector.lengthUpToSecondPeriod(response.continuation) {
      response.tokens.removeLast(response.continuation.count - kept)
    }
    finished[slot.number] = response
    idle.append(slot.cache)
  }
}
