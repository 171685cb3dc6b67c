/// How a draft that is not the drafter's first choice came to be: what its chance is learned by.
enum BranchKind: Equatable {
  /// A runner-up of a place, 0 for the best one. Its score is its probability by the drafter, or, where
  /// drafts are coupled to the target's noise, `exp(−d)` of how far its noisy logit is from the best.
  case runnerUp(rank: Int, isCoupled: Bool)
  /// A draft behind a runner-up; its score is its probability by the drafter.
  case behind

  /// Runners-up of later ranks count as the last.
  private static let ranks = 3

  static let all: [BranchKind] =
    (0..<ranks).flatMap {
      [.runnerUp(rank: $0, isCoupled: false), .runnerUp(rank: $0, isCoupled: true)]
    } + [.behind]

  var index: Int {
    switch self {
    case .runnerUp(let rank, let isCoupled):
      2 * min(rank, Self.ranks - 1) + (isCoupled ? 1 : 0)
    case .behind: 2 * Self.ranks
    }
  }

  /// The chance of a draft before anything was seen, as a share of its score.
  var firstShare: Double {
    switch self {
    case .runnerUp(_, let isCoupled): isCoupled ? 0.3 : 0.8
    case .behind: 0.9
    }
  }
}
