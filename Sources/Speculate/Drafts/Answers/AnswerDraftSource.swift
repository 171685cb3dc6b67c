import Files

/// A table of answers as a source of drafts: what the target mostly wrote behind the text's end, and behind that.
package final class AnswerDraftSource: DraftSource {
  package let taps: [Int] = []
  package let maximumDrafts = longestDraft

  package static let longestDraft = 12

  private let table: AnswerTable
  /// The text's last tokens and the drafts behind them.
  private var text: [Token] = []
  private var runnersUp: [RunnerUp] = []
  /// What may stand at the place that is being looked at.
  private var candidates: [DraftCandidate] = []

  /// A token beside a place's likeliest.
  private struct RunnerUp {
    var place: Int
    var token: Token
    var cell: ChanceCell
    /// The chance of its path.
    var chance: Double
  }

  package init(_ table: AnswerTable) {
    self.table = table
    candidates.reserveCapacity(AnswerTable.width)
  }

  package func commit(features: UnsafePointer<Float>, rows: Int) {}
  package func rewind(to count: Int) {}

  /// Drafts at once: there is no pass to share.
  package func enter(_ request: DraftRequest) {
    text.removeAll(keepingCapacity: true)
    text += request.tokens.suffix(AnswerTable.longest)
    let known = text.count
    runnersUp.removeAll(keepingCapacity: true)
    var before = 1.0
    while request.block.tokens.count < request.count,
      choose(place: request.block.tokens.count, request)
    {
      let place = request.block.tokens.count
      let (token, confidence) = (candidates[0].token, candidates[0].score)
      if let branching = request.branching {
        look(place, before, branching, isCoupled: request.chooser.isCoupled)
      }
      request.block.tokens.append(token)
      request.block.confidences.append(confidence)
      before *=
        request.branching?.chances.conditional(.model(place: place, confidence: confidence)) ?? 1
      text.append(token)
    }
    if let branching = request.branching { grow(known, branching, into: request) }
  }

  package func runPasses() {}

  /// Finds ``candidates`` of a place, the one that is to be drafted first.
  ///
  /// - Returns: whether there are any.
  private func choose(place: Int, _ request: DraftRequest) -> Bool {
    let run = table.longestRun(available: text.count) { text[text.count - 1 - $0] }
    guard let run else { return false }
    candidates.removeAll(keepingCapacity: true)
    table.forEach(behind: run) { token, share in
      candidates.append(DraftCandidate(token: token, share: share))
    }
    request.chooser.rank(&candidates, position: request.tokens.count + place)
    return true
  }

  /// Notes what else may stand at a place.
  private func look(_ place: Int, _ before: Double, _ branching: DraftBranching, isCoupled: Bool) {
    for (rank, other) in candidates.dropFirst().prefix(branching.width).enumerated() {
      let cell = ChanceCell.branch(
        .runnerUp(rank: rank, isCoupled: isCoupled), score: other.score)
      let chance = before * branching.chances.conditional(cell)
      guard chance >= branching.leastChance else { return }
      runnersUp.append(RunnerUp(place: place, token: other.token, cell: cell, chance: chance))
    }
  }

  /// Follows the runners-up, the likeliest first, each by what came behind it.
  private func grow(
    _ known: Int, _ branching: DraftBranching, into request: DraftRequest
  ) {
    runnersUp.sort { $0.chance > $1.chance }
    for other in runnersUp {
      guard request.block.branches.count < branching.limit else { return }
      request.block.branches.append(
        DraftBranch(token: other.token, parent: other.place - 1, cell: other.cell))
      text.removeLast(text.count - known)
      text += request.block.tokens.prefix(other.place)
      text.append(other.token)
      var chance = other.chance
      var place = other.place + 1
      while place < request.count, request.block.branches.count < branching.limit,
        choose(place: place, request)
      {
        let cell = ChanceCell.branch(.behind, score: candidates[0].score)
        chance *= branching.chances.conditional(cell)
        guard chance >= branching.leastChance else { break }
        let token = candidates[0].token
        request.block.branches.append(
          DraftBranch(
            token: token,
            parent: request.block.tokens.count + request.block.branches.count - 1, cell: cell))
        text.append(token)
        place += 1
      }
    }
  }
}
