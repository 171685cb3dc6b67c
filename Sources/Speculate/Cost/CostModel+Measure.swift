package import Verifier

extension CostModel {
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
  ///   - rows: of passes that several sequences share; `nil` for those of one.
  /// - Throws: what making a cache throws.
  package static func measure(
    runner: CausalRunner, source: (any DraftSource)?, context: Int = 64, budget: Double = 0.8,
    rows: Int? = nil
  ) throws -> CostModel {
    let passes = try PassTimer(runner: runner, source: source, context: context, rows: rows)
    defer { passes.finish() }
    var timer = BudgetTimer(budget: budget)
    var verify: [(width: Int, seconds: Double)] = []
    var draft: [(width: Int, seconds: Double)] = []
    for width in [1, 8, 4, 16, 2, 32, 64] where width <= passes.widest && !timer.isSpent {
      verify.append((width, passes.verify(width, &timer)))
      // Of a block that ends before the next width, the whole.
      let count = min(width, source?.maximumDrafts ?? 0)
      guard !draft.contains(where: { $0.width == count }) else { continue }
      if let seconds = passes.draft(count, &timer) { draft.append((count, seconds)) }
    }
    // Without a source no draft pass is ever planned.
    if draft.isEmpty { draft.append((1, verify[0].seconds)) }
    return CostModel(verify: PassTimes(verify), draft: PassTimes(draft))
  }

  /// These curves, measured some time ago, as they are likely to be now.
  ///
  /// What other programs leave of memory bandwidth and clock changes within minutes, and unlike for
  /// narrow and wide passes. So the plain step, a usual block, passes that sequences share, and drafting
  /// a usual block are timed once more, and the curves are moved to meet them; the rest of their shape is
  /// believed, and rounds go on correcting it.
  ///
  /// - Parameters: as of ``measure(runner:source:context:budget:rows:)``.
  /// - Returns: `nil` if the shape doesn't fit any more: measure again.
  /// - Throws: what making a cache throws.
  package func updated(
    runner: CausalRunner, source: (any DraftSource)?, context: Int = 64, rows: Int? = nil
  ) throws -> CostModel? {
    let passes = try PassTimer(runner: runner, source: source, context: context, rows: rows)
    defer { passes.finish() }
    var timer = BudgetTimer(budget: Self.updateBudget)
    var fresh = self
    let usual = min(Self.usualRows, passes.widest)
    let shared = rows.map { min($0, passes.widest) } ?? usual
    let widths = [1, usual] + (shared > usual ? [shared] : [])
    fresh.verify = verify.moved(to: widths.map { ($0, passes.verify($0, &timer)) })
    let ratio = fresh.verify(usual) / fresh.verify(1) / (verify(usual) / verify(1))
    guard ratio < Self.otherShape, ratio > 1 / Self.otherShape else { return nil }
    if let source {
      let count = min(Self.usualRows / 2, source.maximumDrafts)
      if let seconds = passes.draft(count, &timer) {
        fresh.draft = draft.moved(to: [(count, seconds)])
      }
    } else {
      fresh.draft = draft.moved(to: [(1, fresh.verify(1))])
    }
    return fresh
  }

  /// Pass times: those of an earlier run, brought up to date, or measured and kept for the next.
  ///
  /// - Parameters:
  ///   - drafter: what `source` runs.
  ///   - cache: where times are kept; `nil` to measure them every time.
  ///   - rows: of passes that several sequences share; `nil` for those of one.
  /// - Throws: what making a cache of keys and values throws.
  package static func current(
    runner: CausalRunner, drafter: DrafterModel?, source: (any DraftSource)?,
    cache: CostModelCache?, rows: Int? = nil
  ) throws -> CostModel {
    guard let cache else { return try measure(runner: runner, source: source, rows: rows) }
    let key = CostModelCache.Key(runner: runner, drafter: drafter)
    if let kept = cache.cost(of: key),
      let updated = try kept.updated(runner: runner, source: source, rows: rows)
    {
      return updated
    }
    let measured = try measure(runner: runner, source: source, rows: rows)
    cache.store(measured, of: key)
    return measured
  }

  /// Seconds, about, to bring curves up to date.
  private static let updateBudget = 0.16
  private static let usualRows = 8
  /// A change of `T_v(8) / T_v(1)` that makes an old curve useless. Bandwidth alone, which differs by
  /// half between one placement of threads and another, stays below.
  private static let otherShape = 1.6
}
