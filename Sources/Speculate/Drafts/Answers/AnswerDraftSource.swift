package import Files

/// A table of answers as a source of drafts: what the target mostly wrote behind the text's end, and behind that.
package final class AnswerDraftSource: DraftSource {
  package let taps: [Int] = []
  package let maximumDrafts = longestDraft

  package static let longestDraft = 12

  private let table: AnswerTable
  /// The text's last tokens and the drafts behind them.
  private var text: [Token] = []
  private var runnersUp: [RunnerUp] = []

  /// A token beside a place's likeliest.
  private struct RunnerUp {
    var place: Int
    var token: Token
    var cell: ChanceCell
    /// The chance of its path.
    var chance: Double
  }

  package init(_ table: AnswerTable) { self.table = table }

  package func commit(features: UnsafePointer<Float>, rows: Int) {}
  package func rewind(to count: Int) {}

  /// Drafts at once: there is no pass to share.
  package func enter(_ request: DraftRequest) {
    text.removeAll(keepingCapacity: true)
    text += request.tokens.suffix(AnswerTable.longest)
    let known = text.count
    runnersUp.removeAll(keepingCapacity: true)
    var before = 1.0
    while request.block.tokens.count < request.count, let run = longestRun() {
      let place = request.block.tokens.count
      let confidence = share(run, 0)
      if let branching = request.branching { look(beside: run, place, before, branching) }
      request.block.tokens.append(table.tokens[run * AnswerTable.width])
      request.block.confidences.append(confidence)
      before *=
        request.branching?.chances.conditional(.model(place: place, confidence: confidence)) ?? 1
      text.append(table.tokens[run * AnswerTable.width])
    }
    if let branching = request.branching { grow(known, branching, into: request) }
  }

  package func runPasses() {}

  private func longestRun() -> Int? {
    table.longestRun(available: text.count) { text[text.count - 1 - $0] }
  }

  /// How often the token of a rank came behind a run.
  private func share(_ run: Int, _ rank: Int) -> Float {
    Float(table.shares[run * AnswerTable.width + rank]) / 255
  }

  private func look(
    beside run: Int, _ place: Int, _ before: Double, _ branching: DraftBranching
  ) {
    for rank in 1..<min(AnswerTable.width, branching.width + 1) {
      let token = table.tokens[run * AnswerTable.width + rank]
      guard token >= 0 else { return }
      let cell = ChanceCell.branch(
        .runnerUp(rank: rank - 1, isCoupled: false), score: share(run, rank))
      let chance = before * branching.chances.conditional(cell)
      guard chance >= branching.leastChance else { return }
      runnersUp.append(RunnerUp(place: place, token: token, cell: cell, chance: chance))
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
        let run = longestRun()
      {
        let cell = ChanceCell.branch(.behind, score: share(run, 0))
        chance *= branching.chances.conditional(cell)
        guard chance >= branching.leastChance else { break }
        let token = table.tokens[run * AnswerTable.width]
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
