/// Learns whether a second pass pays and behind which drafts: an unmasking policy (arXiv 2512.09106) with a
/// horizon of two passes, where the reward of a round is exact: its tokens over what it cost.
package struct BanditPolicy: NamedPolicy {
  package static let name = "bandit"
  package static let about =
    "a learned choice of what a second pass is shown (Learning Unmasking Policies)"
  package static let settings: [DenoisingSetting] = []

  /// Probabilities that the drafts of a shown run must have; the action before these is to end the block.
  private static let thresholds: [Float] = [0.9, 0.7, 0.5]
  private static let situations = 9

  package private(set) var bandit = Bandit(
    situations: situations, actions: thresholds.count + 1)
  private var taken: (situation: Int, action: Int)?

  package init() {}
  package init(_ values: DenoisingValues) {}

  package var readsCosts: Bool { true }
  package var learns: Bool { true }
  package var fixesLeftRuns: Bool { true }

  package mutating func begin(_ round: DenoisingRound) -> BlockOpening {
    taken = nil
    return BlockOpening()
  }

  package mutating func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    guard block.passes == 1 else { return .done }
    let situation = Self.situation(block)
    let key = UInt64(truncatingIfNeeded: round.position) &+ round.seed
    let action = bandit.action(in: situation, key: key)
    taken = (situation, action)
    guard action > 0 else { return .done }
    return block.fixing(
      FixingRules.leftRun(
        Self.thresholds[action - 1], of: block.masked, certainty: block.certainty))
  }

  /// By how much of the block is sure, and how sure the first doubtful draft is.
  static func situation(_ block: DenoisedBlock) -> Int {
    let count = block.drafts.count
    let run = (0..<count).prefix { block.certainty(of: $0) >= 0.7 }.count
    let doubt = run < count ? block.certainty(of: run) : 1
    return 3 * min(2, 3 * run / max(1, count)) + (doubt < 0.25 ? 0 : doubt < 0.45 ? 1 : 2)
  }

  package mutating func observe(_ verdict: DenoisingVerdict) {
    guard let taken else { return }
    bandit.learn(verdict.rate, of: taken.action, in: taken.situation)
    self.taken = nil
  }

  package mutating func settle() { bandit.settle() }
}

/// Learns how long blocks should be, before any pass, by how the last one went (CtrlDiff's dynamic block
/// prediction, arXiv 2505.14455, with tokens over costs for its reward).
package struct WidthPolicy: NamedPolicy {
  package static let name = "ctrldiff"
  package static let about = "a learned length of the next block (CtrlDiff)"
  package static let settings: [DenoisingSetting] = []

  package static let widths = [1, 2, 4, 8, 16, 32]
  private static let situations = 3

  package private(set) var bandit = Bandit(situations: situations, actions: widths.count)
  private var taken: (situation: Int, action: Int)?
  /// Drafts that the last block had accepted, and its width.
  private var last = (accepted: 0, width: 1)

  package init() {}
  package init(_ values: DenoisingValues) {}

  package var sight: DenoisingSight { .proposals }
  package var readsCosts: Bool { true }
  package var learns: Bool { true }
  package var fixesLeftRuns: Bool { true }

  package mutating func forgetText() { last = (0, 1) }

  private var situation: Int { last.accepted == 0 ? 0 : last.accepted < last.width ? 1 : 2 }

  package mutating func begin(_ round: DenoisingRound) -> BlockOpening {
    let key = UInt64(truncatingIfNeeded: round.position) &+ round.seed
    let action = bandit.action(in: situation, key: key)
    taken = (situation, action)
    var opening = BlockOpening()
    opening.width = Self.widths[action]
    return opening
  }

  package func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep { .done }

  package mutating func observe(_ verdict: DenoisingVerdict) {
    guard let taken else { return }
    bandit.learn(verdict.rate, of: taken.action, in: taken.situation)
    last = (verdict.verified, verdict.block.width)
    self.taken = nil
  }

  package mutating func settle() { bandit.settle() }
}
