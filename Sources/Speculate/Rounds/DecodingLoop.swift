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

  private var budget = RowBudget()
  // The round's, empty between rounds: what they hold must not be shared when it changes.
  private var wishes: [DraftWish] = []
  private var proposals: [RowProposal] = []
  private var forest: [PlantedTree] = []
  private var logits: [RowLogits] = []
  private var accepted: [Int] = []

  /// Makes a loop without sequences.
  ///
  /// - Parameter runner: the target, with the taps of the sequences' sources; it has a row for each
  ///   sequence at least.
  package init(runner: CausalRunner) { self.runner = runner }

  package func add(_ run: SequenceRun) {
    // Those that ended since the last round leave before the next pass.
    precondition(
      runs.count { !$0.hasEnded } < runner.maximumRows, "a pass has a row for each sequence")
    runs.append(run)
  }

  /// Reads the prompts of those that joined, and runs one round for all that go on.
  ///
  /// Those that ended leave; a cancelled one leaves without a round.
  ///
  /// - Throws: ``SpeculateError`` for logits of which no token can be chosen. The sequences that met them
  ///   leave, with the tokens that were committed before; the others may go on.
  package func round() throws(SpeculateError) {
    for run in runs where !run.hasEnded {
      if run.isCancelled() {
        run.finish(.cancelled)
        continue
      }
      run.reserve(runner.maximumRows)
      if !run.isPrefilled && !run.hasEnded { run.prefill(runner) }
    }
    try dismiss()
    guard !runs.isEmpty else { return }
    var watch = Stopwatch()
    draft()
    plan()
    let draftSeconds = watch.lap() - runs.reduce(0) { $0 + ($1.tracer?.candidates.seconds ?? 0) }

    runner.forward(forest: forest)
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

  /// Lets those leave that ended.
  private func dismiss() throws(SpeculateError) {
    let failure = runs.lazy.compactMap(\.sequence.failure).first
    runs.removeAll { $0.hasEnded }
    if let failure { throw failure }
  }

  /// One pass of each drafter for all sequences that want its drafts.
  private func draft() {
    for run in runs {
      run.tracer?.candidates.reset()
      run.request = nil
      guard let wish = run.strategy.request(run.sequence, sharing: runs.count) else { continue }
      run.request = wish.request
      wishes.append(wish)
    }
    for wish in wishes { wish.source.enter(wish.request) }
    // Sources that share passes have them run by the first.
    for wish in wishes { wish.source.runPasses() }
    for wish in wishes { wish.request.finish() }
    wishes.removeAll(keepingCapacity: true)
  }

  /// Chooses the rows of the target pass.
  private func plan() {
    for run in runs { proposals.append(run.strategy.propose(run.sequence)) }
    budget.share(proposals, rows: runner.maximumRows)
    proposals.removeAll(keepingCapacity: true)
    var firstRow = 0
    for (run, count) in zip(runs, budget.counts) {
      let tree = run.strategy.rows(count)
      forest.append(PlantedTree(tree, in: run.cache))
      logits.append(RowLogits(runner, firstRow: firstRow))
      firstRow += tree.count
    }
  }

  private func accept() {
    for (index, run) in runs.enumerated() {
      accepted.append(run.accept(logits[index], in: forest[index].tree))
      // A drafter may have borrowed embedding and head of a target that is damaged itself.
      if let failure = run.request?.failure { run.fail(failure) }
    }
  }

  private func settle() {
    for (index, run) in runs.enumerated() where run.sequence.failure == nil {
      run.settle(
        runner, tree: forest[index].tree, accepted: accepted[index], logits: logits[index])
    }
  }

  /// Tells every sequence what the round cost, its own part by its rows.
  private func record(_ seconds: RoundRecord.Seconds) {
    let rows = forest.reduce(0) { $0 + $1.tree.count }
    let price = RoundPrice(
      sequences: runs.count, rows: rows,
      drafted: runs.reduce(0) { $0 + ($1.request?.block.tokens.count ?? 0) }, emitted: 0,
      draftSeconds: seconds.draft,
      verifySeconds: seconds.verify + seconds.sampling + seconds.other)
    for (index, run) in runs.enumerated() where run.sequence.failure == nil {
      let tree = forest[index].tree
      run.record(
        tree: tree, accepted: accepted[index],
        seconds: seconds.part(Double(tree.count) / Double(rows)), price: price,
        logits: logits[index])
    }
    forest.removeAll(keepingCapacity: true)
    logits.removeAll(keepingCapacity: true)
    accepted.removeAll(keepingCapacity: true)
  }
}

extension RoundRecord.Seconds {
  fileprivate func part(_ share: Double) -> Self {
    share == 1
      ? self
      : Self(
        draft: draft * share, verify: verify * share, sampling: sampling * share,
        other: other * share)
  }
}
