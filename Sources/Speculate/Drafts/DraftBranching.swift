import Drafter
package import Files

/// How far a drafter looks beside its first choices, and what is known about how that goes.
struct DraftBranching {
  /// Runners-up of a place.
  var width: Int
  /// The most drafts beside the block's own.
  var limit: Int
  var chances: DraftChances
  /// A path of less chance is not followed.
  let leastChance: Double

  /// Branches of a block, at most.
  static let most = 32
  /// The least chance of a path, however cheap a row is.
  private static let lowest = 0.03
  /// How much likelier than now expected a path may turn out.
  private static let slack = 0.5

  /// - Parameter least: the chance below which drafts are hardly ever verified.
  init(width: Int, limit: Int, chances: DraftChances, least: Double) {
    self.width = width
    self.limit = limit
    self.chances = chances
    leastChance = max(Self.lowest, Self.slack * least)
  }
}

/// A draft beside a block's own.
package struct DraftBranch: Sendable, Equatable {
  package var token: Token
  /// What it follows: −1 is the anchor, then come the block's drafts in order, then its branches.
  package var parent: Int
  /// Whose experience its chance is.
  var cell: ChanceCell
}

/// Grows branches beside the blocks of a drafter: the runners-up of each place, and behind each what the
/// drafter says with it in place of the draft.
struct BranchGrower {
  private struct RunnerUp {
    var place: Int
    var token: Token
    var cell: ChanceCell
    /// The chance of its path.
    var chance = 0.0
  }

  private var runnersUp: [RunnerUp] = []

  /// Makes room for blocks of `places` drafts with up to `width` runners-up each.
  init(places: Int, width: Int) { runnersUp.reserveCapacity(places * width) }

  /// Begins another block.
  mutating func begin() { runnersUp.removeAll(keepingCapacity: true) }

  /// Forgets places behind the drafts that are to be verified.
  mutating func truncate(to places: Int) { runnersUp.removeAll { $0.place >= places } }

  /// Takes what the chooser of a place found behind its choice.
  mutating func add(_ chooser: DraftChooser, place: Int) {
    for (rank, other) in chooser.runnersUp.enumerated() {
      runnersUp.append(
        RunnerUp(
          place: place, token: other.token,
          cell: .branch(
            .runnerUp(rank: rank, isCoupled: chooser.isCoupled), score: other.score)))
    }
  }

  /// Grows the branches of a block whose drafts are chosen, the likeliest first.
  ///
  /// - Parameter choose: a draft of a place after a token, which may be the one given last; nil if there is
  ///   none to give.
  mutating func grow(
    _ request: DraftRequest, _ branching: DraftBranching,
    choose: (_ place: Int, _ previous: Token, _ goesOn: Bool) -> (
      token: Token, confidence: Float
    )?
  ) {
    rank(request.block, branching)
    for other in runnersUp {
      guard request.block.branches.count < branching.limit else { return }
      request.block.branches.append(
        DraftBranch(token: other.token, parent: other.place - 1, cell: other.cell))
      request.chooser.beginBeside(other.token, place: other.place)
      var (chance, previous, place) = (other.chance, other.token, other.place + 1)
      while place < request.count, request.block.branches.count < branching.limit,
        let next = choose(place, previous, place > other.place + 1)
      {
        let cell = ChanceCell.branch(.behind, score: next.confidence)
        chance *= branching.chances.conditional(cell)
        guard chance >= branching.leastChance else { break }
        request.block.branches.append(
          DraftBranch(
            token: next.token,
            parent: request.block.tokens.count + request.block.branches.count - 1,
            cell: cell))
        (previous, place) = (next.token, place + 1)
      }
    }
  }

  /// Keeps the runners-up that are likely enough, the likeliest first.
  private mutating func rank(_ block: DraftBlock, _ branching: DraftBranching) {
    let chances = branching.chances
    var kept = 0
    var (before, place) = (1.0, 0)
    for index in runnersUp.indices {
      var other = runnersUp[index]
      while place < other.place {
        before *= chances.conditional(.model(place: place, confidence: block.confidences[place]))
        place += 1
      }
      other.chance = before * chances.conditional(other.cell)
      guard other.chance >= branching.leastChance else { continue }
      var slot = kept
      while slot > 0, runnersUp[slot - 1].chance < other.chance {
        runnersUp[slot] = runnersUp[slot - 1]
        slot -= 1
      }
      runnersUp[slot] = other
      kept += 1
    }
    runnersUp.removeLast(runnersUp.count - kept)
  }
}
