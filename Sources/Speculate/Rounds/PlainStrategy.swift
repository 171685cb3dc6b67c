import Files
package import Verifier

/// Token-by-token decoding: one target row for each token. What every other strategy is measured
/// against, and what its output must equal.
package final class PlainStrategy: RoundStrategy {
  private var tree = TokenTree(root: 0)

  package init() {}

  package func propose(_ sequence: SequenceState) -> RowProposal {
    tree.reset(root: sequence.anchor)
    return RowProposal()
  }

  package func rows(_ count: Int) -> TokenTree { tree }
}
