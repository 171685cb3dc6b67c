package import Files
package import Verifier

/// Decodes any number of sequences together: in every round one draft pass and one target pass for all.
///
/// Sequences may join and leave between rounds, and differ in strategy, length, sampling and seed. Each
/// gets the tokens of its own plain decoding: the target alone chooses (``AcceptanceRule``), its rows do not
/// depend on what shares the pass, and its noise depends on positions only.
package final class DecodingLoop {
  /// The target, used by this loop alone.
  package let runner: CausalRunner

  package private(set) var runs: [SequenceRun] = []
  /// What all rounds took.
  package private(set) var seconds = RoundRecord.Seconds()
  /// Rounds in which a drafter ran.
  package private(set) var draftRounds = 0

  /// How much of prompts shares the passes of those that decode; `nil` reads each wholly before a round.
  private let prefill: PrefillBudget?
  private var budget = RowBudget()
  // The round's, empty between rounds: what they hold must not be shared when it changes.
  /// Those that decode.
  private var active: [SequenceRun] = []
  /// Of these, at the end, those whose prompts end with the round's slices, which stand before the trees.
  private var joining: [TextSlice] = []
  /// Those whose prompts go on being read.
  private var readers: [SequenceRun] = []
  private var slices: [TextSlice] = []
  private var offers: [DraftOffer] = []
  private var draftBudgets: [DraftBudget] = []
  /// Whether the draft pass was a usual one.
  private var isUsual = true
  private var wishes: [DraftWish] = []
  private var proposals: [RowProposal] = []
  private var forest: [PlantedTree] = []
  private var logits: [RowLogits] = []
  private var accepted: [Int] = []

  /// Makes a loop without sequences.
  ///
  /// - Parameters:
  ///   - runner: the target, with the taps of the sequences' sources; it has a row for each sequence at
  ///     least.
  ///   - prefill: how much of prompts shares the passes of those that decode; `nil` reads each wholly before
  ///     a round.
  package init(runner: CausalRunner, prefill: PrefillBudget? = nil) {
    self.runner = runner
    self.prefill = prefill
  }

  package func add(_ run: SequenceRun) {
    // Those that ended since the last round leave before the next pass.
    precondition(
      runs.count { !$0.hasEnded } < runner.maximumRows, "a pass has a row for each sequence")
    runs.append(run)
  }

  /// Lets a sequence leave, which may be added again later.
  package func remove(_ run: SequenceRun) { runs.removeAll { $0 === run } }

  /// Reads prompts of those that joined, and runs one round for all others that go on.
  ///
  /// Those that ended leave; a cancelled one leaves without a round, and a paused one takes no part.
  ///
  /// - Throws: ``SpeculateError`` for logits of which no token can be chosen. The sequences that met them
  ///   leave, with the tokens that were committed before; the others may go on.
  package func round() throws(SpeculateError) {
    for run in runs where !run.hasEnded {
      if run.isCancelled() {
        run.finish(.cancelled)
        continue
      }
      guard !run.isPaused else { continue }
      run.reserve(runner.maximumRows)
      if prefill == nil, !run.isPrefilled && !run.hasEnded { run.prefill(runner) }
      run.checkPrompt()
    }
    try dismiss()
    defer { forget() }
    gather()
    guard !active.isEmpty || !slices.isEmpty else { return }
    var watch = Stopwatch()
    draft()
    plan()
    let draftSeconds = watch.lap() - active.reduce(0) { $0 + ($1.tracer?.candidates.seconds ?? 0) }

    runner.forward(first: joining, forest: forest, slices: slices)
    let verifySeconds = watch.lap()

    accept()
    let samplingSeconds = watch.lap()

    settle()
    let otherSeconds = watch.lap()
    record(
      .init(
        draft: draftSeconds, verify: verifySeconds, sampling: samplingSeconds, other: otherSeconds))
    try dismiss()
  }

  /// Decides who decodes, and how much is read of whose prompts, in the order in which they joined. Whose
  /// prompt is read to its end decodes at once.
  private func gather() {
    for run in runs where run.isPrefilled && !run.isPaused { active.append(run) }
    guard let prefill else { return }
    var rows = prefill.rows(beside: active.count, spare: runner.maximumRows - active.count)
    for run in runs where !run.isPrefilled && !run.isPaused && rows > 0 {
      let slice = run.slice(rows)
      rows -= slice.tokens.count
      if rows > 0, run.join(behind: slice) {
        rows -= 1
        joining.append(slice)
        active.append(run)
        continue
      }
      // Rows with logits stand before those without.
      let place = slice.wantsLogits ? 0 : slices.count
      slices.insert(slice, at: place)
      readers.insert(run, at: place)
    }
  }

  private func forget() {
    active.removeAll(keepingCapacity: true)
    joining.removeAll(keepingCapacity: true)
    draftBudgets.removeAll(keepingCapacity: true)
    readers.removeAll(keepingCapacity: true)
    slices.removeAll(keepingCapacity: true)
    forest.removeAll(keepingCapacity: true)
    logits.removeAll(keepingCapacity: true)
    accepted.removeAll(keepingCapacity: true)
  }

  private var joiningRows: Int { joining.reduce(0) { $0 + $1.tokens.count } }

  /// Rows that bring no token.
  private var sliceRows: Int { slices.reduce(joiningRows) { $0 + $1.tokens.count } }

  /// Sequences that decode and whose prompts were read before.
  private var readCount: Int { active.count - joining.count }

  /// Lets those leave that ended.
  private func dismiss() throws(SpeculateError) {
    let failure = runs.lazy.compactMap(\.sequence.failure).first
    runs.removeAll { $0.hasEnded }
    if let failure { throw failure }
  }

  /// One pass of each drafter for all sequences that are to draft.
  private func draft() {
    for (index, run) in active.enumerated() {
      run.tracer?.candidates.reset()
      run.request = nil
      var offer = run.strategy.offer(run.sequence, sharing: active.count) ?? DraftOffer()
      // What the target says of its prompt isn't known yet.
      if index >= readCount { (offer.model, offer.fixed) = ([], 0) }
      if let budget = offer.budget, !draftBudgets.contains(where: { $0 === budget }) {
        draftBudgets.append(budget)
      }
      offers.append(offer)
    }
    draftBudgets.first?.share(offers, rows: runner.maximumRows - sliceRows, beside: sliceRows)
    isUsual = true
    for (index, run) in active.enumerated() {
      let offer = offers[index]
      let count = offer.fixed ?? (offer.budget == nil ? 0 : draftBudgets[0].counts[index])
      guard let wish = run.strategy.request(run.sequence, drafts: count) else { continue }
      run.request = wish.request
      isUsual = isUsual && wish.isUsual
      wishes.append(wish)
    }
    offers.removeAll(keepingCapacity: true)
    for wish in wishes { wish.source.enter(wish.request) }
    // Sources that share passes have them run by the first.
    for wish in wishes { wish.source.runPasses() }
    for wish in wishes { wish.request.finish() }
    wishes.removeAll(keepingCapacity: true)
  }

  /// Chooses the rows of the target pass.
  private func plan() {
    for run in active { proposals.append(run.strategy.propose(run.sequence)) }
    let beside = sliceRows
    budget.share(proposals, rows: runner.maximumRows - beside, beside: beside)
    proposals.removeAll(keepingCapacity: true)
    for (index, run) in active.enumerated() {
      let slice = index < readCount ? nil : joining[index - readCount]
      forest.append(
        PlantedTree(
          run.strategy.rows(budget.counts[index]), in: run.cache,
          behind: slice?.tokens.count ?? 0))
    }
  }

  private func accept() {
    var firstRow = joiningRows
    for (index, run) in active.enumerated() {
      logits.append(RowLogits(runner, firstRow: firstRow))
      firstRow += forest[index].tree.count
      accepted.append(run.accept(logits[index], in: forest[index].tree))
      // A drafter may have borrowed embedding and head of a target that is damaged itself.
      if let failure = run.request?.failure { run.fail(failure) }
    }
  }

  private func settle() {
    var firstRow = 0
    for (index, slice) in joining.enumerated() {
      active[readCount + index].settle(runner, slice: slice, firstRow: firstRow)
      firstRow += slice.tokens.count
    }
    for (index, run) in active.enumerated() where run.sequence.failure == nil {
      run.settle(
        runner, tree: forest[index].tree, accepted: accepted[index], logits: logits[index])
    }
    firstRow += treeRows
    for (run, slice) in zip(readers, slices) {
      run.settle(runner, slice: slice, firstRow: firstRow)
      firstRow += slice.tokens.count
    }
  }

  private var treeRows: Int { forest.reduce(0) { $0 + $1.tree.count } }

  /// Tells every sequence what the round cost, its own part by its rows.
  private func record(_ seconds: RoundRecord.Seconds) {
    self.seconds += seconds
    let beside = sliceRows
    let rows = treeRows + beside
    func recordReading(_ run: SequenceRun, _ slice: TextSlice) {
      run.record(prefill: seconds.verify * Double(slice.tokens.count) / Double(rows))
    }
    for (run, slice) in zip(active[readCount...], joining) { recordReading(run, slice) }
    for (run, slice) in zip(readers, slices) { recordReading(run, slice) }
    let price = RoundPrice(
      sequences: active.count, rows: rows,
      drafted: active.reduce(0) { $0 + ($1.request?.block.tokens.count ?? 0) },
      emitted: active.reduce(0) { $0 + $1.emitted }, draftSeconds: seconds.draft,
      verifySeconds: seconds.verify + seconds.sampling + seconds.other)
    if price.drafted > 0 { draftRounds += 1 }
    // Rows without logits cost less, so that nothing is learned beside them.
    if beside == 0, !active.contains(where: { $0.sequence.failure != nil }) {
      for budget in draftBudgets { budget.record(price, isUsual: isUsual) }
    }
    for (index, run) in active.enumerated() where run.sequence.failure == nil {
      let tree = forest[index].tree
      run.record(
        tree: tree, accepted: accepted[index],
        seconds: seconds.part(Double(tree.count) / Double(rows)), price: beside == 0 ? price : nil,
        logits: logits[index])
    }
  }
}

extension RoundRecord.Seconds {
  fileprivate static func += (sum: inout Self, other: Self) {
    sum.draft += other.draft
    sum.verify += other.verify
    sum.sampling += other.sampling
    sum.other += other.other
  }

  fileprivate func part(_ share: Double) -> Self {
    share == 1
      ? self
      : Self(
        draft: draft * share, verify: verify * share, sampling: sampling * share,
        other: other * share)
  }
}
