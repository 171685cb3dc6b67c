package import Files

/// What happens to a block after a pass.
package enum DenoisingStep: Sendable, Equatable {
  /// Another pass. It must be good for something: a plan that fixes no mask and changes nothing else is
  /// ``done``, and only few may change something without fixing a mask.
  case pass(DenoisingPlan)
  /// The block is drafted: what is left takes what the last pass proposes.
  case finish(DenoisingEnd)
  /// What is drafted is one way to go on, and the block begins again for another one.
  case restart

  /// All drafts that are left are chosen, and all are to be verified.
  package static let done = finish(DenoisingEnd())
}

/// A draft at a place of a block, which counts from 0, the one after the anchor.
package struct PlacedToken: Sendable, Equatable {
  package var place: Int
  package var token: Token

  package init(_ place: Int, _ token: Token) {
    self.place = place
    self.token = token
  }
}

/// What is changed before another pass. What can't be done is left out.
package struct DenoisingPlan: Sendable, Equatable {
  /// Masks that become drafts, which the pass shows to the other rows. The mask token itself stays a mask.
  package var fix: [PlacedToken] = []
  /// Drafts that become masks again.
  package var remask: [Int] = []
  /// Masks put before places, each `count` of them; what moves beyond the block's end is dropped.
  package var insert: [Insertion] = []
  /// Masks shown with a mixture of embeddings besides their own.
  package var soften: [SoftMask] = []
  /// More masks behind the block, whose drafts all become the context of these.
  package var extend = 0
  /// What is added to logits of the pass.
  package var biases: [LogitBias] = []

  package init() {}

  package init(fix: [PlacedToken]) { self.fix = fix }

  package struct Insertion: Sendable, Equatable {
    package var place: Int
    package var count: Int

    package init(place: Int, count: Int) {
      self.place = place
      self.count = count
    }
  }
}

/// A mask shown as `E[mask] + Σ weight · E[token]`.
package struct SoftMask: Sendable, Equatable {
  package var place: Int
  package var mixture: [(token: Token, weight: Float)]

  package init(place: Int, mixture: [(token: Token, weight: Float)]) {
    self.place = place
    self.mixture = mixture
  }

  package static func == (one: Self, other: Self) -> Bool {
    one.place == other.place && one.mixture.elementsEqual(other.mixture) { $0 == $1 }
  }
}

package struct LogitBias: Sendable, Equatable {
  package var place: Int
  package var token: Token
  package var value: Float

  package init(place: Int, token: Token, value: Float) {
    self.place = place
    self.token = token
    self.value = value
  }
}

/// How a block begins.
package struct BlockOpening: Sendable, Equatable {
  /// Drafts of the block; nil for as many as were asked for, which is the most.
  package var width: Int?
  /// Drafts that stand from the start and are never masked.
  package var presets: [PlacedToken] = []
  /// What is added to logits of the first pass.
  package var biases: [LogitBias] = []

  package init() {}
}

/// How a block ends.
package struct DenoisingEnd: Sendable, Equatable {
  /// How many of its drafts are to be verified; nil for all.
  package var width: Int?
  /// Which way to go on comes first, of those that ``DenoisingStep/restart`` left, the last one included;
  /// nil for the first.
  package var chain: Int?
  /// How likely each draft is accepted, all before it being right; empty for what the drafter says.
  package var confidences: [Float] = []

  package init(width: Int? = nil, chain: Int? = nil, confidences: [Float] = []) {
    self.width = width
    self.chain = chain
    self.confidences = confidences
  }
}
