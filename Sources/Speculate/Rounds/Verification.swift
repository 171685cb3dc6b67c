import Files

/// How verification turns drafts into tokens (docs/algorithms.md 2). At temperature 0 all of them take the target's most
/// probable tokens.
public enum Verification: String, Sendable, Equatable, Codable, CaseIterable {
  /// The target draws its own token under noise that belongs to the position, and drafts stay as long as they
  /// match: the output is that of plain decoding, token for token.
  case match
  /// A draft y stays with probability `min(1, p(y)/q(y))` (Leviathan et al., arXiv 2211.17192). The output has the
  /// distribution of plain decoding; another drafter gives another sample of it.
  case token
  /// How many drafts stay is decided for the whole block (Sun et al., arXiv 2403.10444): as many as by ``token`` or
  /// more, on average, and of the same distribution.
  case block
}

extension GenerationParameters {
  /// The rule that makes a difference.
  var usedVerification: Verification { sampling.isGreedy ? .match : verification }

  /// Refuses ways of decoding under which drafts would depend on the random numbers that decide about them.
  ///
  /// - Throws: ``SpeculateError`` naming the setting.
  package func check(_ mode: DecodingMode) throws {
    guard usedVerification != .match else { return }
    let rule = "verification \(verification.rawValue)"
    guard constraint == nil else {
      throw SpeculateError(
        "\(rule) doesn't know constraints of the output: use match, or leave the constraint out")
    }
    switch mode {
    case .plain: break
    case .jacobi:
      throw SpeculateError("\(rule) has no use for Jacobi decoding: use match, or drafts")
    case .speculative(_, let choice, let free, let branches, let denoising):
      if choice == .coupled {
        throw SpeculateError(
          "\(rule) draws with numbers of its own, which drafts can't be coupled to: leave ‘draft choice’ "
            + "out, or use match")
      }
      if let branches, branches > 0 {
        throw SpeculateError(
          "\(rule) is exact for chains, but branches \(branches) make a tree: use 0, or match")
      }
      if let denoising, denoising != .onePass {
        throw SpeculateError(
          "\(rule) weighs drafts of one pass alone, but denoising \(denoising.text) may keep them by what "
            + "they are: leave denoising out, or use match")
      }
      if free?.recycling == true {
        throw SpeculateError(
          "\(rule) can't take drafts that verification threw away: leave recycling out, or use match"
        )
      }
      if verification == .block, sampling.presencePenalty != 0 || sampling.frequencyPenalty != 0 {
        throw SpeculateError(
          "\(rule) doesn't know presence and frequency penalties: use token or match, or leave them out"
        )
      }
    }
  }
}
