/// Says after each pass over a block what happens to it next, so that another pass shows what was chosen to
/// the rows that are left.
///
/// A policy decides and the engine acts: it runs no model, sees nothing of the target but past verdicts, and
/// commits nothing. The target verifies whatever is drafted, so the output is the same for every policy. It
/// belongs to one sequence, and the same rounds with the same costs make it take the same steps.
package protocol DenoisingPolicy: Sendable {
  /// What it looks at of a pass.
  var sight: DenoisingSight { get }
  /// Whether it looks at ``DenoisingRound/costs``.
  var readsCosts: Bool { get }
  /// Whether it wants to be told verdicts.
  var learns: Bool { get }
  /// What not every drafter can do.
  var needs: Set<DenoisingNeed> { get }
  /// Whether a draft that is shown to others stands left of all masks, and how many there are follows from
  /// distributions alone. Rules that accept with probabilities of drafts that were sampled need that; the
  /// target's own choice, greedy or sampled, needs nothing.
  var fixesLeftRuns: Bool { get }

  /// Forgets what belongs to the text so far, since another one begins; what holds for any stays.
  mutating func forgetText()

  /// Begins a block.
  mutating func begin(_ round: DenoisingRound) -> BlockOpening

  /// What happens after a pass over a block that has masks.
  mutating func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep

  /// Takes what the text turned out to be behind the anchor of a block.
  mutating func observe(_ verdict: DenoisingVerdict)

  /// Keeps what it has learned of texts as it is from now on, so that it can be measured on others.
  mutating func settle()
}

extension DenoisingPolicy {
  package var sight: DenoisingSight { .distributions }
  package var readsCosts: Bool { false }
  package var learns: Bool { false }
  package var needs: Set<DenoisingNeed> { [] }
  package var fixesLeftRuns: Bool { false }
  package mutating func forgetText() {}
  package mutating func begin(_ round: DenoisingRound) -> BlockOpening { BlockOpening() }
  package mutating func observe(_ verdict: DenoisingVerdict) {}
  package mutating func settle() {}
}

/// What a policy looks at of a pass, by what it costs.
package enum DenoisingSight: Int, Sendable, Comparable {
  /// What is proposed, and how sure the drafter is of it.
  case proposals
  /// Each row's ``RowDistribution`` too: a look at every logit.
  case distributions
  /// Each row's logits too: a copy of them.
  case logits

  package static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
}

/// What a policy asks of a drafter that not every one has.
package enum DenoisingNeed: Sendable {
  /// Drafts as context of more drafts: a drafter that sees tokens alone.
  case extensions
  /// Which tokens end a line.
  case lineEnds
}

/// One pass: the cheapest way, because a second one costs as much as the first.
package struct OnePass: NamedPolicy {
  package static let name = "one-pass"
  package static let about = "all drafts of one pass"
  package static let settings: [DenoisingSetting] = []

  package init() {}
  package init(_ values: DenoisingValues) {}

  package var sight: DenoisingSight { .proposals }
  package var fixesLeftRuns: Bool { true }

  package mutating func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    .done
  }
}
