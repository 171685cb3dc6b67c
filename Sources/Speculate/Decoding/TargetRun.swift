import Tensors
import Verifier

/// The target's side of one sequence: its runner, its cache, and the invariant between passes: the
/// cache holds all committed tokens but the anchor.
struct TargetRun {
  let runner: CausalRunner
  let cache: KeyValueCache
  /// The rows of the current pass: the anchor and the drafts.
  private var rows: [Token] = []

  /// Takes an empty cache.
  init(runner: CausalRunner, cache: KeyValueCache) {
    precondition(cache.count == 0, "the cache belongs to another sequence")
    self.runner = runner
    self.cache = cache
  }

  var configuration: ModelConfiguration { runner.model.configuration }

  /// Feeds the prompt without its last token, in pieces.
  ///
  /// - Parameter onPiece: called after each piece with its number of rows, while the runner's taps
  ///   are those of the piece; returns `false` to stop early.
  func prefill(_ prompt: [Token], onPiece: (Int) -> Bool) {
    prompt.dropLast().withUnsafeBufferPointer { tokens in
      while cache.count < tokens.count {
        let end = min(cache.count + runner.maximumRows, tokens.count)
        let piece = UnsafeBufferPointer(rebasing: tokens[cache.count..<end])
        runner.forward(piece, cache: cache, logits: .none)
        guard onPiece(piece.count) else { return }
      }
    }
  }

  /// One pass over the anchor and the drafts, with logits for every row.
  mutating func verify(anchor: Token, drafts: [Token]) {
    rows.removeAll(keepingCapacity: true)
    rows.append(anchor)
    rows.append(contentsOf: drafts)
    rows.withUnsafeBufferPointer { runner.forward($0, cache: cache, logits: .all) }
  }

  /// The logits of a row of the last pass: [vocabulary].
  func logits(_ row: Int) -> UnsafeMutablePointer<Float> {
    runner.logits + row * configuration.vocabularySize
  }
}
