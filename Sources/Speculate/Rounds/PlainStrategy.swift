import Files
package import Verifier

/// Token-by-token decoding: one target row for each token. What every other strategy is measured
/// against, and what its output must equal.
package final class PlainStrategy: RoundStrategy {
  /// Nothing, since nothing is drafted.
  package var recorder: CandidateRecorder?

  private var tree = TokenTree(root: 0)

  /// A strategy without drafts.
  package init() {}

  /// Nothing to prepare.
  package func begin(_ sequence: SequenceState, room: SequenceRoom) {}

  /// Nothing is drafted from features.
  package func commit(features: UnsafePointer<Float>, rows: Int) {}

  /// No drafts.
  package func request(_ sequence: SequenceState, sharing: Int) -> DraftWish? { nil }

  /// The anchor alone.
  package func propose(_ sequence: SequenceState) -> RowProposal {
    tree.reset(root: sequence.anchor)
    return RowProposal()
  }

  /// The anchor alone.
  package func rows(_ grant: RowGrant) -> TokenTree { tree }

  /// Nothing to learn.
  package func settle(
    _ outcome: RoundOutcome, _ sequence: inout SequenceState, accept: (DraftOrigin) -> Void
  ) {}

  /// Nothing to learn.
  package func learn(_ price: RoundPrice) {}

  /// No drafts.
  package var origin: DraftOrigin? { nil }

  /// No drafts.
  package var traced: [TracedDraft] { [] }
}
