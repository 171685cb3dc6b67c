/// How likely the target accepts a draft once it has accepted all before it, source by source,
/// learned while decoding.
package struct DraftChances: Sendable, Equatable, Codable {
  /// The chances of a drafter model's drafts by place.
  package private(set) var survival = SurvivalEstimator()
  /// What its confidences are worth.
  package private(set) var calibration = ConfidenceCalibration()
  /// What the scores of other ways to go on are worth, by ``BranchKind``.
  private var branches = BranchKind.all.map { ConfidenceCalibration(share: $0.firstShare) }
  /// The chances of free drafts, by kind, and alone or as a branch: [2 · kinds].
  private var free: [SurvivalEstimator]

  /// Drafts beside another source's are right only where that one is wrong.
  private static let branchShare = 0.4
  /// Observations that the first chance of a free draft counts for: few, because every round that finds a
  /// match tells whether it was right, verified or not.
  private static let firstWeight = 2.0

  package init() {
    free = (0..<FreeDraftKind.count).flatMap { index in
      let first = FreeDraftKind(index: index).firstChance
      return [first, first * Self.branchShare].map {
        SurvivalEstimator(firstRate: $0, firstWeight: Self.firstWeight)
      }
    }
  }

  /// The chance of a draft, given that its parent was accepted.
  func conditional(_ cell: ChanceCell) -> Double {
    if cell.table > 0 { return free[cell.table - 1].conditional(cell.place) }
    if let branch = cell.branch { return branches[branch].acceptance(cell.confidence ?? 0) }
    return cell.confidence.map { calibration.acceptance($0, place: cell.place) }
      ?? survival.conditional(cell.place)
  }

  /// Whether it is what learning leaves: files may have been edited.
  var isSound: Bool {
    let new = DraftChances()
    return branches.count == new.branches.count && free.count == new.free.count && survival.isSound
      && calibration.isSound && branches.allSatisfy(\.isSound) && free.allSatisfy(\.isSound)
  }

  /// Lets what comes next count for more.
  mutating func fade() {
    survival.fade()
    calibration.fade()
    for index in branches.indices { branches[index].fade() }
    for index in free.indices { free[index].fade() }
  }

  /// Expected accepted tokens of `count` free drafts that stand alone.
  func expectedTokens(_ kind: FreeDraftKind, count: Int) -> Double {
    var product = 1.0
    return (0..<count).reduce(0) { sum, place in
      product *= conditional(.free(kind, isBranch: false, place: place))
      return sum + product
    }
  }

  /// Learns from a draft whose parent was accepted.
  package mutating func record(_ cell: ChanceCell, accepted: Bool) {
    if cell.table > 0 {
      free[cell.table - 1].record(place: cell.place, accepted: accepted)
    } else if cell.table == 0 {
      survival.record(place: cell.place, accepted: accepted)
      if let confidence = cell.confidence {
        calibration.record(confidence, place: cell.place, accepted: accepted)
      }
    } else if let branch = cell.branch {
      branches[branch].record(cell.confidence ?? 0, accepted: accepted)
    }
  }
}

/// Whose experience tells the chance of a draft, and at which place.
package struct ChanceCell: Equatable {
  /// A row of ``DraftChances``: 0 for the model drafter's drafts, from 1 on for a kind of free draft, from −2
  /// down for a kind of branch.
  var table: Int
  /// Tokens since this source's path left the others'.
  var place: Int
  /// The draft's probability by its source's own account, if it has one; of a branch its score.
  var confidence: Float?

  /// No draft: the anchor.
  static let root = Self(table: -1, place: 0)

  package static func model(place: Int, confidence: Float?) -> Self {
    Self(table: 0, place: place, confidence: confidence)
  }

  /// A draft beside the model drafter's first choice, or behind such a one.
  static func branch(_ kind: BranchKind, score: Float) -> Self {
    Self(table: -2 - kind.index, place: 0, confidence: score)
  }

  /// The index of its ``BranchKind``, if it is of one.
  var branch: Int? { table < -1 ? -2 - table : nil }

  /// A free draft; as a branch it stands beside another source's draft, and so is right where that
  /// one is wrong.
  static func free(_ kind: FreeDraftKind, isBranch: Bool, place: Int) -> Self {
    Self(table: 1 + 2 * kind.index + (isBranch ? 1 : 0), place: place)
  }
}
