import Files
import Speculate
package import Tensors
package import Verifier

/// Runs Jacobi iteration along known responses, by the engine that serves (docs/algorithms.md 7).
///
/// Each pass runs over the true token before the unsettled part of a block and the guesses behind it,
/// and replaces each guess by the target's choice on the row before it. Rows don't depend on what
/// shares their pass, so the guesses are those of a decoder with one block and nothing else.
package final class TrajectoryGenerator {
  private let runner: CausalRunner
  private let cache: KeyValueCache
  private let blockSize: Int
  private let vocabulary: Int

  /// Makes the run state.
  ///
  /// - Parameter capacity: Tokens of the longest response, its prompt included.
  package init(model: CausalModel, workers: Workers, blockSize: Int, capacity: Int) throws {
    runner = CausalRunner(model: model, workers: workers, maximumRows: max(2 * blockSize, 64))
    cache = try runner.makeCache(capacity: capacity)
    self.blockSize = blockSize
    vocabulary = model.configuration.vocabularySize
  }

  /// The trajectory of a greedy response.
  ///
  /// - Parameter response: With at least one token of a prompt.
  /// - Returns: `nil` where the target doesn't choose the response's tokens, so that its blocks have
  ///   other fixed points: it isn't greedy, or another target's.
  /// - Throws: ``Stopped`` when `shouldStop` says so between two passes; `SpeculateError` where logits hold
  ///   NaN or infinity.
  package func trajectory(
    of response: Response, shouldStop: () -> Bool = { false }
  ) throws -> Trajectory? {
    precondition(response.promptLength > 0, "an iteration starts behind a token")
    let tokens = response.tokens
    cache.reset()
    var guesses: [[[Token]]] = []
    for block in Trajectory.blocks(of: response, size: blockSize) {
      var guess = Trajectory.firstGuess(
        behind: tokens[..<block.lowerBound], count: block.count, size: blockSize)
      var states: [[Token]] = []
      var settled = agreement(guess, tokens[block])
      while settled < block.count {
        if shouldStop() { throw Stopped() }
        states.append(guess)
        // The cache holds what is true; the anchor is the last true token.
        let anchor = block.lowerBound + settled - 1
        if anchor - cache.count > blockSize {
          runner.read(tokens[cache.count..<anchor], into: cache)
        }
        let known = tokens[cache.count...anchor]
        let rows = known + guess[settled..<block.count - 1]
        rows.withUnsafeBufferPointer { runner.forward($0, cache: cache, logits: .all) }
        for place in settled..<block.count {
          let row = known.count - 1 + place - settled
          guard let best = Kernels.finiteArgmax(runner.logits + row * vocabulary, count: vocabulary)
          else { throw SpeculateError.unusable("target", position: place + block.lowerBound) }
          guess[place] = Token(best)
        }
        cache.rewind(to: anchor + 1)
        let agreeing = agreement(guess, tokens[block])
        guard agreeing > settled else { return nil }
        settled = agreeing
      }
      guesses.append(states)
    }
    return Trajectory(response: response, blockSize: blockSize, guesses: guesses)
  }

  private func agreement(_ guess: [Token], _ truth: ArraySlice<Token>) -> Int {
    zip(guess, truth).prefix { $0 == $1 }.count
  }
}
