import Files
import Tensors
import Verifier

/// The target's side of one sequence: its runner, its cache, and the invariant between passes: the
/// cache holds all committed tokens but the anchor.
struct TargetRun {
  let runner: CausalRunner
  let cache: KeyValueCache

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

  /// One pass over the anchor, with its logits.
  func step(anchor: Token) {
    withUnsafePointer(to: anchor) {
      runner.forward(UnsafeBufferPointer(start: $0, count: 1), cache: cache, logits: .all)
    }
  }

  /// One pass over a tree, with logits for every row; ``keep(_:of:)`` must follow.
  func verify(_ tree: TokenTree) { runner.forward(tree, cache: cache) }

  /// Keeps some rows of the tree that was just verified, a path from its root on, and forgets the
  /// others.
  func keep(_ path: [Int], of tree: TokenTree) { runner.keep(path, of: tree, cache: cache) }

  /// The logits of a row of the last pass: [vocabulary].
  func logits(_ row: Int) -> UnsafeMutablePointer<Float> {
    runner.logits + row * configuration.vocabularySize
  }
}
