/// What happened during generation, in counts and seconds. Rates are derived, so that statistics
/// of several generations add up (`+=`).
public struct GenerationStatistics: Sendable, Equatable, Codable {
  /// Generations that were added up.
  public var generations = 0
  /// Tokens of the prompts.
  public var promptTokens = 0
  /// Tokens emitted by decoding, end tokens included.
  public var emittedTokens = 0
  /// Rounds: one target pass each, with or without drafts.
  public var rounds = 0
  /// Rounds that verified no draft.
  public var plainRounds = 0
  /// Target passes of decoding; the passes of prefill are not among them.
  public var targetPasses = 0
  /// Passes of the draft source.
  public var draftPasses = 0
  /// Draft tokens proposed.
  public var draftedTokens = 0
  /// Draft tokens that the target verified; the cost model may cut a proposal short.
  public var verifiedTokens = 0
  /// Draft tokens that were accepted and emitted.
  public var acceptedTokens = 0
  /// Accepted draft tokens that were matches of earlier text.
  public var suffixTokens = 0
  /// Accepted draft tokens that verification had thrown away before.
  public var recycledTokens = 0
  /// Rounds with drafts by how many were accepted: `[accepted]`, the bonus token not counted.
  public var acceptanceHistogram: [Int] = []
  /// Verified drafts by place in the block, 0 for the one after the anchor: `[place]`.
  public var verifiedByPlace: [Int] = []
  /// Accepted drafts by place in the block: `[place]`.
  public var acceptedByPlace: [Int] = []

  /// Seconds of prefill: the prompt through the target and into the draft source.
  public var prefillSeconds = 0.0
  /// Seconds of drafting.
  public var draftSeconds = 0.0
  /// Seconds of target passes.
  public var verifySeconds = 0.0
  /// Seconds of processing logits and choosing tokens.
  public var samplingSeconds = 0.0
  /// Seconds of decoding in all, prefill excluded.
  public var decodeSeconds = 0.0

  /// Statistics of nothing.
  public init() {}

  /// Counts one round.
  ///
  /// - Parameters:
  ///   - drafted: draft tokens proposed.
  ///   - verified: draft tokens verified, `drafted` at most.
  ///   - accepted: draft tokens accepted and emitted.
  ///   - emitted: all tokens emitted.
  ///   - ended: whether an end token cut the block, so that later drafts were never judged.
  ///   - depth: places in the block that the verified drafts cover; `nil` if each has its own.
  ///   - passes: passes of the draft source; `nil` if all drafts are its.
  public mutating func countRound(
    drafted: Int, verified: Int, accepted: Int, emitted: Int, ended: Bool, depth: Int? = nil,
    passes: Int? = nil
  ) {
    rounds += 1
    targetPasses += 1
    emittedTokens += emitted
    draftPasses += passes ?? (drafted > 0 ? 1 : 0)
    draftedTokens += drafted
    verifiedTokens += verified
    acceptedTokens += accepted
    guard verified > 0 else {
      plainRounds += 1
      return
    }
    Self.grow(&acceptanceHistogram, to: accepted + 1)
    acceptanceHistogram[accepted] += 1
    let places = depth ?? verified
    let judged = ended ? min(places, emitted) : places
    Self.grow(&verifiedByPlace, to: judged)
    Self.grow(&acceptedByPlace, to: judged)
    for place in 0..<judged { verifiedByPlace[place] += 1 }
    for place in 0..<min(accepted, judged) { acceptedByPlace[place] += 1 }
  }

  /// Makes room to count rounds of up to `drafts` drafts.
  mutating func reserveCapacity(drafts: Int) {
    acceptanceHistogram.reserveCapacity(drafts + 1)
    verifiedByPlace.reserveCapacity(drafts)
    acceptedByPlace.reserveCapacity(drafts)
  }

  /// Counts an accepted draft by where it came from.
  mutating func countAccepted(_ origin: DraftOrigin) {
    switch origin {
    case .suffix: suffixTokens += 1
    case .recycled: recycledTokens += 1
    case .drafter, .jacobi: break
    }
  }

  /// Adds the counts and seconds of other generations.
  public static func += (sum: inout Self, other: Self) {
    sum.generations += other.generations
    sum.promptTokens += other.promptTokens
    sum.emittedTokens += other.emittedTokens
    sum.rounds += other.rounds
    sum.plainRounds += other.plainRounds
    sum.targetPasses += other.targetPasses
    sum.draftPasses += other.draftPasses
    sum.draftedTokens += other.draftedTokens
    sum.verifiedTokens += other.verifiedTokens
    sum.acceptedTokens += other.acceptedTokens
    sum.suffixTokens += other.suffixTokens
    sum.recycledTokens += other.recycledTokens
    add(&sum.acceptanceHistogram, other.acceptanceHistogram)
    add(&sum.verifiedByPlace, other.verifiedByPlace)
    add(&sum.acceptedByPlace, other.acceptedByPlace)
    sum.prefillSeconds += other.prefillSeconds
    sum.draftSeconds += other.draftSeconds
    sum.verifySeconds += other.verifySeconds
    sum.samplingSeconds += other.samplingSeconds
    sum.decodeSeconds += other.decodeSeconds
  }

  private static func grow(_ counts: inout [Int], to count: Int) {
    while counts.count < count { counts.append(0) }
  }

  private static func add(_ sum: inout [Int], _ other: [Int]) {
    grow(&sum, to: other.count)
    for index in other.indices { sum[index] += other[index] }
  }
}
