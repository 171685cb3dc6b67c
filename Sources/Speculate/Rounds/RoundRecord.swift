public import Files

/// One round of a decoder, told after it: what was drafted, what the target chose instead, and what
/// it took.
///
/// Probabilities are those of the distribution that is chosen from, after penalty, temperature and
/// filters. At temperature 0 that distribution is a point, so the softmax of the penalised logits is
/// told instead.
public struct RoundRecord: Sendable, Equatable {
  /// Tokens committed before the round, the prompt's included: the position of its first token.
  public var position: Int
  /// Where the drafts came from, or the likeliest of them; `nil` for a round without drafts.
  public var origin: DraftOrigin?
  /// Drafts proposed; the cost model may have left the last of them unverified.
  public var drafted: Int
  /// Of these, drafts that a draft pass made; 0 where none ran.
  public var passDrafts: Int
  /// The drafts that were verified, in the order of their rows.
  public var drafts: [Token]
  /// Where each of them came from; empty if all came from `origin`.
  public var origins: [DraftOrigin]
  /// Their probabilities by their source's own account, `nil` where it has none; empty if none has.
  public var confidences: [Float?]
  /// For a tree, the index of the draft that each draft follows, −1 for the anchor; empty for a
  /// chain, where each follows the one before.
  public var parents: [Int]
  /// The tokens that the round committed: the accepted drafts and the target's own token after
  /// them, which is missing when an accepted draft ended the output.
  public var tokens: [Token]
  /// The target's probabilities of `tokens`.
  public var probabilities: [Float]
  /// Drafts accepted.
  public var accepted: Int
  /// The first draft that the target did not choose; `nil` if it chose all that it was asked about.
  public var rejection: Rejection?
  /// Rows of the target pass.
  public var rows: Int
  /// What the round took; what telling it took is not in there.
  public var seconds: Seconds

  /// Makes a record.
  public init(
    position: Int, origin: DraftOrigin? = nil, drafted: Int = 0, passDrafts: Int = 0,
    drafts: [Token] = [], origins: [DraftOrigin] = [], confidences: [Float?] = [],
    parents: [Int] = [], tokens: [Token], probabilities: [Float], accepted: Int = 0,
    rejection: Rejection? = nil, rows: Int, seconds: Seconds
  ) {
    self.position = position
    self.origin = origin
    self.drafted = drafted
    self.passDrafts = passDrafts
    self.drafts = drafts
    self.origins = origins
    self.confidences = confidences
    self.parents = parents
    self.tokens = tokens
    self.probabilities = probabilities
    self.accepted = accepted
    self.rejection = rejection
    self.rows = rows
    self.seconds = seconds
  }

  /// The place where a block ended, as both models saw it.
  public struct Rejection: Sendable, Equatable {
    /// The target's probability of the draft that it did not choose.
    public var probability: Float
    /// The source's most probable tokens there, falling; empty if it has no probabilities.
    public var draft: [TokenCandidate]
    /// The target's most probable tokens there, falling.
    public var target: [TokenCandidate]

    /// Makes a rejection.
    public init(probability: Float, draft: [TokenCandidate], target: [TokenCandidate]) {
      self.probability = probability
      self.draft = draft
      self.target = target
    }
  }

  /// The parts of a round's time; their sum is the round's.
  public struct Seconds: Sendable, Equatable {
    /// Drafting.
    public var draft: Double
    /// The target pass.
    public var verify: Double
    /// Processing logits and choosing tokens.
    public var sampling: Double
    /// The rest: caches, features.
    public var other: Double

    /// Makes the parts.
    public init(draft: Double = 0, verify: Double = 0, sampling: Double = 0, other: Double = 0) {
      self.draft = draft
      self.verify = verify
      self.sampling = sampling
      self.other = other
    }

    /// The whole round.
    public var total: Double { draft + verify + sampling + other }
  }
}

/// Is told every round of a generation, for traces and analyses.
///
/// Without an observer a decoder computes nothing for it. With one, probabilities and candidates are
/// computed after each round, outside the times that are told.
public protocol RoundObserver: AnyObject {
  /// Takes one round, in order, on the thread that decodes.
  func observe(_ round: RoundRecord)
}
