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
  /// Accepted draft tokens that the grammar of the output forced.
  public var scaffoldTokens = 0
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
  package mutating func countRound(
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
    acceptanceHistogram.grow(to: accepted + 1)
    acceptanceHistogram[accepted] += 1
    let places = depth ?? verified
    let judged = ended ? min(places, emitted) : places
    verifiedByPlace.grow(to: judged)
    acceptedByPlace.grow(to: judged)
    for place in 0..<judged { verifiedByPlace[place] += 1 }
    for place in 0..<min(accepted, judged) { acceptedByPlace[place] += 1 }
  }

  /// Counts of the last round only what came out before a stop string.
  ///
  /// - Parameters: as ``countRound(drafted:verified:accepted:emitted:ended:depth:passes:)`` had them.
  ///   - kept: tokens that came out.
  ///   - depth: places in the block that the verified drafts cover.
  package mutating func cutRound(
    verified: Int, accepted: Int, emitted: Int, ended: Bool, depth: Int, to kept: Int
  ) {
    let stay = min(accepted, kept)
    emittedTokens -= emitted - kept
    acceptedTokens -= accepted - stay
    guard verified > 0 else { return }
    acceptanceHistogram[accepted] -= 1
    acceptanceHistogram[stay] += 1
    let judged = ended ? min(depth, emitted) : depth
    for place in min(depth, kept)..<judged { verifiedByPlace[place] -= 1 }
    for place in stay..<min(accepted, judged) { acceptedByPlace[place] -= 1 }
  }

  /// Makes room to count rounds of up to `drafts` drafts.
  mutating func reserveCapacity(drafts: Int) {
    acceptanceHistogram.reserveCapacity(drafts + 1)
    verifiedByPlace.reserveCapacity(drafts)
    acceptedByPlace.reserveCapacity(drafts)
  }

  /// Counts an accepted draft by where it came from, or takes it back.
  mutating func countAccepted(_ origin: DraftOrigin, by count: Int = 1) {
    switch origin {
    case .suffix: suffixTokens += count
    case .recycled: recycledTokens += count
    case .scaffold: scaffoldTokens += count
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
    sum.scaffoldTokens += other.scaffoldTokens
    sum.acceptanceHistogram.add(other.acceptanceHistogram)
    sum.verifiedByPlace.add(other.verifiedByPlace)
    sum.acceptedByPlace.add(other.acceptedByPlace)
    sum.prefillSeconds += other.prefillSeconds
    sum.draftSeconds += other.draftSeconds
    sum.verifySeconds += other.verifySeconds
    sum.samplingSeconds += other.samplingSeconds
    sum.decodeSeconds += other.decodeSeconds
  }
}

/// Rates, under the field's names. Each is 0 where there is nothing to divide by.
extension GenerationStatistics {
  /// Mean acceptance length τ, the bonus token included: emitted tokens per target pass.
  public var tau: Double { Self.ratio(emittedTokens, targetPasses) }

  /// Accepted drafts per verified draft.
  public var acceptanceRate: Double { Self.ratio(acceptedTokens, verifiedTokens) }

  /// Accepted drafts per verified draft, by place in the block.
  public var acceptanceRateByPlace: [Double] {
    zip(acceptedByPlace, verifiedByPlace).map { Self.ratio($0, $1) }
  }

  /// The most drafts that a round accepted.
  public var longestAccepted: Int { acceptanceHistogram.lastIndex { $0 > 0 } ?? 0 }

  /// Emitted tokens per second of decoding.
  public var tokensPerSecond: Double {
    decodeSeconds > 0 ? Double(emittedTokens) / decodeSeconds : 0
  }

  /// Prompt tokens per second of prefill.
  public var prefillTokensPerSecond: Double {
    prefillSeconds > 0 ? Double(promptTokens) / prefillSeconds : 0
  }

  /// Seconds of decoding outside drafting, target passes and sampling.
  public var otherSeconds: Double {
    max(0, decodeSeconds - draftSeconds - verifySeconds - samplingSeconds)
  }

  package static func ratio(_ part: Int, _ whole: Int) -> Double {
    whole > 0 ? Double(part) / Double(whole) : 0
  }
}

/// Counts by place or number, as many as were needed so far.
extension [Int] {
  package mutating func grow(to count: Int) {
    while self.count < count { append(0) }
  }

  package mutating func add(_ other: [Int]) {
    grow(to: other.count)
    for index in other.indices { self[index] += other[index] }
  }
}
