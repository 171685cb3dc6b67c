package import Files
package import Tensors
package import Text
package import Verifier

/// Generates one sequence: a `Sequence` of committed tokens, each final when it is handed out.
///
/// It is a ``DecodingLoop`` of one. Whatever it drafts and verifies, it hands out the tokens of plain
/// decoding of the same target, prompt and parameters. It works in rounds, and only when asked for a token
/// that it does not have yet.
package final class Decoder: Sequence, IteratorProtocol {
  private let loop: DecodingLoop
  private let run: SequenceRun

  /// Prepares a generation; no pass runs before the first token is asked for.
  ///
  /// - Parameters: as of ``SequenceRun``; the runner is used by this decoder alone while it works.
  package init(
    runner: CausalRunner, cache: KeyValueCache, prompt: [Token],
    parameters: GenerationParameters, strategy: any RoundStrategy = PlainStrategy(),
    grammar: TokenGrammar? = nil,
    isCancelled: @escaping () -> Bool = { Task.isCancelled }
  ) throws {
    loop = DecodingLoop(runner: runner)
    run = try SequenceRun(
      runner: runner, cache: cache, prompt: prompt, parameters: parameters, strategy: strategy,
      grammar: grammar, isCancelled: isCancelled)
    loop.add(run)
  }

  /// What happened so far. Complete once ``finishReason`` is set.
  package var statistics: GenerationStatistics { run.statistics }

  /// Why generation ended; `nil` while it goes on. It may be set before the last tokens have been
  /// handed out.
  package var finishReason: FinishReason? { run.finishReason }

  /// What ended generation before its time. Whoever has taken the last token asks.
  package private(set) var failure: SpeculateError?

  package var strategy: any RoundStrategy { run.strategy }

  /// Who is told every round; set before the first token is asked for.
  package var observer: (any RoundObserver)? {
    get { run.observer }
    set { run.observer = newValue }
  }

  package func next() -> Token? {
    while true {
      if let token = run.take() { return token }
      guard !run.hasEnded else { return nil }
      do {
        try loop.round()
      } catch {
        failure = error
      }
    }
  }

  /// Ends generation where a stop string was found, behind the last token that was handed out.
  package func stop() { run.stop() }

  /// Ends generation before the next round; committed tokens are still handed out.
  package func finish(_ reason: FinishReason) { run.finish(reason) }
}
