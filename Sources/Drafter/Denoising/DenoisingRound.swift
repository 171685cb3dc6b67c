package import Files

/// What a policy knows of the round that a block is drafted in.
package struct DenoisingRound: Sendable {
  /// The absolute position of the first draft.
  package var position = 0
  /// The most drafts that the round can verify.
  package var most = 0
  /// What randomness is keyed by, besides positions.
  package var seed: UInt64 = 0
  /// Tokens that end the output.
  package var ends: [Token] = []
  /// Tokens whose text holds a line's end, where the policy needs them.
  package var lineEnds: Set<Token> = []
  package var costs: any RoundCosts = UsualCosts()

  package init() {}
}

/// What passes cost: measured, or given by a test. Only ratios count.
package protocol RoundCosts: Sendable {
  /// A drafter's pass over a block of `drafts`.
  func drafting(_ drafts: Int) -> Double
  /// A target's pass over `rows`.
  func verifying(_ rows: Int) -> Double
}

/// Costs in plain steps of the target, where none were measured: usual ones for a small drafter.
package struct UsualCosts: RoundCosts, Equatable {
  package var draft: Double
  /// Of a pass of two rows or more.
  package var verify: Double

  package init(draft: Double = 0.15, verify: Double = 1.3) {
    self.draft = draft
    self.verify = verify
  }

  package func drafting(_ drafts: Int) -> Double { draft }
  package func verifying(_ rows: Int) -> Double { rows > 1 ? verify : 1 }
}

/// What became of a block.
package struct DenoisingVerdict: Sendable {
  package var block: DenoisedBlock
  package var round: DenoisingRound
  /// The text behind the block's anchor, as far as it is known: at least one token.
  package var text: ArraySlice<Token>

  package init(block: DenoisedBlock, round: DenoisingRound, text: ArraySlice<Token>) {
    self.block = block
    self.round = round
    self.text = text
  }

  /// Drafts that were right, all before them being right, verified or not, as far as the text says.
  package var accepted: Int { zip(block.drafts, text).prefix { $0 == $1 }.count }

  /// Of these, those that were verified.
  package var verified: Int { min(accepted, block.width) }

  /// Whether a draft was right, all before it being right; nil where that was never asked.
  package func isRight(_ place: Int) -> Bool? {
    let accepted = accepted
    guard place <= accepted, place < min(block.drafts.count, text.count) else { return nil }
    return place < accepted
  }

  /// Tokens of the round over what it cost, in the units of the costs.
  package var rate: Double {
    let drafts = block.drafts.count
    let cost =
      Double(block.meter.passes) * round.costs.drafting(drafts)
      + round.costs.verifying(block.width + 1)
    return Double(1 + verified) / max(cost, 1e-12)
  }
}

/// What a block took, as the engine counted it.
package struct DraftMeter: Sendable, Equatable {
  package var passes = 0
  /// Rows of blocks that went through the layers.
  package var rows = 0
  /// Rows that got logits.
  package var headRows = 0
  /// Ways to go on that were drafted.
  package var chains = 0

  package init() {}
}
