import Files
package import Verifier

/// How the rounds of one sequence go: what is verified, and what is learned from the outcome.
///
/// A strategy knows no target and runs no target pass, so that one pass of a ``DecodingLoop`` serves many
/// sequences with different strategies. A round asks it in this order: ``offer(_:sharing:)``,
/// ``request(_:drafts:)``, ``propose(_:)``, ``rows(_:)``, ``settle(_:_:)``, ``learn(_:)``. It decides speed,
/// never the output. It belongs to one sequence.
package protocol RoundStrategy: AnyObject {
  /// Starts the sequence, whose prompt is committed.
  func begin(_ sequence: SequenceState, room: SequenceRoom)

  /// Sees that there is memory for `positions`, the anchor's included; called before each round.
  func reserve(_ positions: Int) throws(SpeculateError)

  /// Takes the target's features of the next committed positions: [rows][taps · width].
  func commit(features: UnsafePointer<Float>, rows: Int)

  /// Begins a round: says what could be drafted; `nil` without a drafter.
  ///
  /// - Parameter sharing: sequences of the round.
  func offer(_ sequence: SequenceState, sharing: Int) -> DraftOffer?

  /// Asks for what costs a pass of a drafter.
  ///
  /// - Parameter count: drafts; 0 for none.
  func request(_ sequence: SequenceState, drafts count: Int) -> DraftWish?

  /// Ranks what could be verified behind the anchor, the drafts asked for included.
  func propose(_ sequence: SequenceState) -> RowProposal

  /// The anchor and the first `count` of the ranked nodes, as rows in depth-first order.
  func rows(_ count: Int) -> TokenTree

  /// Takes what the target said.
  ///
  /// - Parameters:
  ///   - outcome: the rows and their logits.
  ///   - sequence: with the round's tokens committed.
  ///   - accept: is told where each accepted draft came from.
  func settle(
    _ outcome: RoundOutcome, _ sequence: inout SequenceState, accept: (DraftOrigin) -> Void)

  /// Takes what the round cost.
  func learn(_ price: RoundPrice)

  /// Where the likeliest of the round's drafts came from; `nil` without any.
  var origin: DraftOrigin? { get }

  /// What an observer is told of the drafts in the rows behind the anchor.
  var traced: [TracedDraft] { get }

  /// Has the candidates of the source's drafts kept, for an observer.
  func keepCandidates(in recorder: CandidateRecorder?)
}

/// A strategy without a drafter, which learns nothing.
extension RoundStrategy {
  package func begin(_ sequence: SequenceState, room: SequenceRoom) {}
  package func reserve(_ positions: Int) throws(SpeculateError) {}
  package func commit(features: UnsafePointer<Float>, rows: Int) {}
  package func offer(_ sequence: SequenceState, sharing: Int) -> DraftOffer? { nil }
  package func request(_ sequence: SequenceState, drafts count: Int) -> DraftWish? { nil }
  package func settle(
    _ outcome: RoundOutcome, _ sequence: inout SequenceState, accept: (DraftOrigin) -> Void
  ) {}
  package func learn(_ price: RoundPrice) {}
  package var origin: DraftOrigin? { nil }
  package var traced: [TracedDraft] { [] }
  package func keepCandidates(in recorder: CandidateRecorder?) {}
}

/// What a sequence has room for.
package struct SequenceRoom: Sendable, Equatable {
  /// Tokens that there is room for at once, the prompt's included.
  package var capacity: Int
  package var maximumRows: Int
}

/// Drafts that a strategy wants of a source in this round.
package struct DraftWish {
  package var source: any DraftSource
  /// What is wanted, and receives it.
  package var request: DraftRequest
  /// Whether a pass for it takes a usual time: the source hasn't to catch up with more than a round.
  package var isUsual = true
}

/// What a strategy would verify in a round.
package struct RowProposal {
  /// The chance of each node to be accepted with all before it, in the order of preference; from
  /// `kept` on they fall.
  package var chances: [Double] = []
  /// Nodes that are verified in any case.
  package var kept = 0
  package var limit = 0
  /// Drafts that a model proposed in this round.
  package var drafted = 0
  /// What passes cost; `nil` where nothing is left to choose.
  package var cost: CostModel?

  package init(
    chances: [Double] = [], kept: Int = 0, limit: Int = 0, drafted: Int = 0, cost: CostModel? = nil
  ) {
    self.chances = chances
    self.kept = kept
    self.limit = limit
    self.drafted = drafted
    self.cost = cost
  }
}

/// What the target said to the rows of a sequence.
package struct RoundOutcome {
  package var tree: TokenTree
  /// The rows whose choices were committed, from the anchor's on.
  package var path: [Int]
  package var accepted: Int
  /// The rows' logits, as the choices left them.
  package var logits: RowLogits
}

package struct RoundPrice: Sendable, Equatable {
  package var sequences: Int
  package var rows: Int
  /// Drafts that models proposed.
  package var drafted: Int
  /// Tokens committed: of all sequences, or of the one that is told.
  package var emitted: Int
  package var draftSeconds: Double
  package var verifySeconds: Double

  package init(
    sequences: Int, rows: Int, drafted: Int, emitted: Int, draftSeconds: Double,
    verifySeconds: Double
  ) {
    self.sequences = sequences
    self.rows = rows
    self.drafted = drafted
    self.emitted = emitted
    self.draftSeconds = draftSeconds
    self.verifySeconds = verifySeconds
  }
}
