import Tensors
public import Verifier

extension CostModel {
  /// Drafts of a round that cost no pass, at most: how wide passes are measured without a source.
  private static let freeDrafts = 31

  /// Measures `T_v(n)` and `T_d(k)` on this machine, on throw-away caches.
  ///
  /// Widths are visited in the order of their worth: first the plain step and a usual block, then
  /// the rest, as far as the budget goes; a large model gets fewer nodes and the first corrections
  /// come while decoding. The median of a few passes stands for a width.
  ///
  /// - Parameters:
  ///   - runner: the target, not in use.
  ///   - source: what drafts, not in use; it is rewound. `nil` if nothing does.
  ///   - context: positions in the cache while measuring; pass times grow with them.
  ///   - budget: seconds, about; filling the context, which also pages weights in, comes on top.
  /// - Throws: what making a cache throws.
  public static func measure(
    runner: CausalRunner, source: (any DraftSource)?, context: Int = 64, budget: Double = 0.8
  ) throws -> CostModel {
    let vocabulary = runner.model.configuration.vocabularySize
    let widest = min(runner.maximumRows, max(source?.maximumDrafts ?? 0, freeDrafts) + 1)
    let position = min(context, runner.model.configuration.maximumContext - widest)
    precondition(position >= 1, "no room to measure in")
    let cache = try runner.makeCache(capacity: position + widest)
    let tokens = (0..<position + widest).map { Token($0 * 31 % vocabulary) }
    source?.rewind(to: 0)
    defer { source?.rewind(to: 0) }
    TargetRun(runner: runner, cache: cache).prefill(Array(tokens[...position])) { rows in
      source?.commit(features: runner.taps, rows: rows)
      return true
    }

    var timer = BudgetTimer(budget: budget)
    var verify: [(width: Int, seconds: Double)] = []
    var draft: [(width: Int, seconds: Double)] = []
    var chooser = DraftChooser(
      .greedy, choice: .argmax, context: TokenPresence(vocabulary: vocabulary))
    var block = DraftBlock()
    for width in [1, 8, 4, 16, 2, 32, 64] where width <= widest && !timer.isSpent {
      let seconds = timer.measure {
        tokens[..<width].withUnsafeBufferPointer {
          runner.forward($0, cache: cache, logits: .all)
        }
        for row in 0..<width {
          _ = Argmax.index(runner.logits + row * vocabulary, count: vocabulary)
        }
        cache.rewind(to: position)
      }
      verify.append((width, seconds))
      guard let source, width <= source.maximumDrafts else { continue }
      // The context of a usual round is projected with the block.
      let usual = min(4, position)
      let draftSeconds = timer.measure {
        source.rewind(to: position - usual)
        source.commit(features: runner.taps, rows: usual)
        block.removeAll()
        source.draft(
          after: Array(tokens[...position]), count: width, chooser: &chooser, into: &block)
        chooser.finishBlock()
      }
      draft.append((width, draftSeconds))
    }
    // Without a source no draft pass is ever planned.
    if draft.isEmpty { draft.append((1, verify[0].seconds)) }
    return CostModel(verify: PassTimes(verify), draft: PassTimes(draft))
  }
}
