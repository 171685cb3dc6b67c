import Files

/// The random numbers of a round under token or block verification: those that draw drafts, those that accept them,
/// and those that draw what comes in place of a rejected one, all independent of one another and of other rounds'.
///
/// Positions may be drafted again in later rounds, so all are keyed by where the round began, which no other round of
/// the output shares.
package struct VerificationNoise: Sendable {
  private let acceptance: KeyedNoise
  private let residual: KeyedNoise

  private enum Purpose: UInt64 { case draft = 1, acceptance, residual }

  /// - Parameter start: the position of the round's first draft.
  package init(seed: UInt64, start: Int) {
    acceptance = KeyedNoise(seed: Self.seed(seed, start, .acceptance))
    residual = KeyedNoise(seed: Self.seed(seed, start, .residual))
  }

  /// What the noise of a round's drafts is keyed by, beside their positions.
  package static func draftSeed(_ seed: UInt64, start: Int) -> UInt64 {
    self.seed(seed, start, .draft)
  }

  private static func seed(_ seed: UInt64, _ start: Int, _ purpose: Purpose) -> UInt64 {
    let own = SplitMix.mix(seed &+ purpose.rawValue &* 0xA24B_AED4_963E_E407)
    return SplitMix.mix(own ^ (UInt64(truncatingIfNeeded: start) &* 0x9FB2_1C65_1E98_DF25))
  }

  /// A uniform number that decides about a place: 0 for the first draft's.
  func acceptance(_ place: Int) -> Double { acceptance.stream(position: place).uniform(0) }

  /// A uniform number that draws the round's last token.
  var replacement: Double { residual.stream(position: 0).uniform(0) }
}
