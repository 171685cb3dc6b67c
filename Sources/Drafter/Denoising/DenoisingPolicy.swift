/// Says after each pass over a block which of its drafts are chosen now, so that the next pass shows them to
/// the rows that are left.
///
/// A policy runs no model and commits nothing: the target verifies whatever is drafted, so the output is the
/// same for every policy.
package protocol DenoisingPolicy: Sendable {
  /// What happens after a pass over a block that has masks.
  func next(_ block: DenoisedBlock) -> DenoisingStep
}

/// What happens to a block after a pass.
package enum DenoisingStep: Sendable, Equatable {
  /// The drafts of these places are chosen, and there is another pass for those that are left, if any are. No
  /// place that is a mask still means ``done``: every pass is good for something.
  case fix([Int])
  /// All drafts that are left are chosen.
  case done
}

/// One pass: the cheapest way, because a second one costs as much as the first.
package struct SinglePass: DenoisingPolicy {
  package init() {}

  package func next(_ block: DenoisedBlock) -> DenoisingStep { .done }
}
