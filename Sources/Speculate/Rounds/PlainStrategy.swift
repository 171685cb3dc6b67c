import Files
package import Verifier

/// Token-by-token decoding: one target row for each token. What every other strategy is measured
/// against, and what its output must equal.
package final class PlainStrategy: RoundStrategy {
  package var recorder: CandidateRecorder?

  private var tree = TokenTree(root: 0)

  package init() {}

  package func begin(_ sequence: SequenceState, room: SequenceRoom) {}

  package func commit(features: UnsafePointer<Float>, rows: Int) {}

  package func request(_ sequence: SequenceState, sharing: Int) -> DraftWish? { nil }

  package func propose(_ sequence: SequenceState) -> RowProposal {
    tree.reset(root: sequence.anchor)
    return RowProposal()
  }

  package func rows(_ grant: RowGrant) -> TokenTree { tree }

  package func settle(
    _ outcome: RoundOutcome, _ sequence: inout SequenceState, accept: (DraftOrigin) -> Void
  ) {}

  package func learn(_ price: RoundPrice) {}

  package var origin: DraftOrigin? { nil }

  package var traced: [TracedDraft] { [] }
}
