package import Files
import Tensors

/// Token and block verification of a chain of drafts (docs/algorithms.md 2).
///
/// Whether a draft was sent here must not depend on it or on later ones, nor the drafts on the noise. Drafts of an
/// unknown distribution count as drawn for sure, for which both rules accept a draft y with probability p(y).
package final class DraftVerifier {
  private let vocabulary: Int
  /// p of a row, unnormalised: [vocabulary].
  private let target: FloatBuffer
  /// What is left of it when what was drafted is taken away: [vocabulary].
  private let residual: FloatBuffer
  private var rows: [UnsafeMutablePointer<Float>] = []

  package init(vocabulary: Int) {
    self.vocabulary = vocabulary
    target = FloatBuffer(count: vocabulary)
    residual = FloatBuffer(count: vocabulary)
  }

  /// A chain to verify, and what is known of it.
  package struct Chain {
    package var drafts: ArraySlice<Token>
    package var noise: VerificationNoise
    /// What a draft was drawn from, by its place: [vocabulary], summing to 1; `nil` if that isn't known.
    package var drafted: (_ place: Int) -> UnsafePointer<Float>?
    /// The processed logits of the row before a draft: [vocabulary]; `nil` if no token can be chosen of them. Under
    /// block verification it is asked for the rows of all drafts before any of them is emitted.
    package var row: (_ place: Int) -> UnsafeMutablePointer<Float>?
    /// The target's own choice behind the last draft.
    package var bonus: () -> Token?
    /// Takes the tokens in order; returns `false` to end there.
    package var emit: (Token) -> Bool

    package init(
      drafts: ArraySlice<Token>, noise: VerificationNoise,
      drafted: @escaping (_ place: Int) -> UnsafePointer<Float>?,
      row: @escaping (_ place: Int) -> UnsafeMutablePointer<Float>?,
      bonus: @escaping () -> Token?, emit: @escaping (Token) -> Bool
    ) {
      self.drafts = drafts
      self.noise = noise
      self.drafted = drafted
      self.row = row
      self.bonus = bonus
      self.emit = emit
    }

    fileprivate func draft(_ place: Int) -> Int { Int(drafts[drafts.startIndex + place]) }
  }

  /// Verifies a chain.
  ///
  /// - Returns: how many drafts were emitted, and how many tokens in all.
  package func verify(_ chain: Chain, by rule: Verification) -> (accepted: Int, emitted: Int) {
    rows.removeAll(keepingCapacity: true)
    return rule == .block ? verifyBlock(chain) : verifyTokens(chain)
  }

  private func verifyTokens(_ chain: Chain) -> (accepted: Int, emitted: Int) {
    for place in 0..<chain.drafts.count {
      guard let row = chain.row(place) else { return (place, place) }
      let total = weigh(row)
      let (p, q) = probabilities(chain, place, total)
      guard p > 0, chain.noise.acceptance(place) * q <= p else {
        _ = chain.emit(replacement(chain, place, total: total, scale: 1))
        return (place, place + 1)
      }
      guard chain.emit(Token(chain.draft(place))) else { return (place + 1, place + 1) }
    }
    return finish(chain)
  }

  private func verifyBlock(_ chain: Chain) -> (accepted: Int, emitted: Int) {
    let count = chain.drafts.count
    var accepted = 0
    var chance = 1.0  // P of the drafts before the place
    var kept = 1.0  // P of the accepted ones
    for place in 0..<count {
      guard let row = chain.row(place) else { return (0, 0) }
      rows.append(row)
      let total = weigh(row)
      if place > 0 {
        let rest = subtract(chain, place, total: total, scale: chance)
        let share = rest + 1 - chance
        if chain.noise.acceptance(place - 1) <= (share > 0 ? rest / share : 1) {
          (accepted, kept) = (place, chance)
        }
      }
      let (p, q) = probabilities(chain, place, total)
      chance = q > 0 ? min(1, chance * p / q) : 0
    }
    if chance > 0, chain.noise.acceptance(count - 1) <= chance { accepted = count }
    for place in 0..<accepted where !chain.emit(Token(chain.draft(place))) {
      return (place + 1, place + 1)
    }
    if accepted == count { return finish(chain) }
    let total = weigh(rows[accepted])
    _ = chain.emit(replacement(chain, accepted, total: total, scale: kept))
    return (accepted, accepted + 1)
  }

  /// All drafts stay, and the target adds a token.
  private func finish(_ chain: Chain) -> (accepted: Int, emitted: Int) {
    let count = chain.drafts.count
    guard let bonus = chain.bonus() else { return (count, count) }
    _ = chain.emit(bonus)
    return (count, count + 1)
  }

  /// Fills ``target`` and returns its sum.
  private func weigh(_ row: UnsafePointer<Float>) -> Double {
    let top = Kernels.maximum(row, count: vocabulary)
    return Double(Kernels.exp(row, into: target.base, count: vocabulary, shift: top))
  }

  /// A draft's probabilities by the target and by what it was drawn from.
  private func probabilities(
    _ chain: Chain, _ place: Int, _ total: Double
  ) -> (p: Double, q: Double) {
    let draft = chain.draft(place)
    return (Double(target.base[draft]) / total, chain.drafted(place).map { Double($0[draft]) } ?? 1)
  }

  /// Fills ``residual`` with `max(scale · p − q, 0)` of a place and returns its sum.
  private func subtract(_ chain: Chain, _ place: Int, total: Double, scale: Double) -> Double {
    let factor = Float(scale / total)
    let (target, residual) = (target.base, residual.base)
    var sum = 0.0
    if let drafted = chain.drafted(place) {
      for token in 0..<vocabulary {
        residual[token] = max(target[token] * factor - drafted[token], 0)
        sum += Double(residual[token])
      }
    } else {
      for token in 0..<vocabulary {
        residual[token] = target[token] * factor
        sum += Double(residual[token])
      }
      let draft = chain.draft(place)
      sum -= Double(residual[draft])
      residual[draft] = 0
    }
    return sum
  }

  /// A sample of what is left of a place's p.
  private func replacement(
    _ chain: Chain, _ place: Int, total: Double, scale: Double
  ) -> Token {
    let uniform = chain.noise.replacement
    let sum = subtract(chain, place, total: total, scale: scale)
    // Where rounding leaves nothing, p and q are the same.
    return sum > 0
      ? Self.token(residual.base, count: vocabulary, sum: sum, uniform: uniform)
      : Self.token(target.base, count: vocabulary, sum: total, uniform: uniform)
  }

  /// The token at a share of the sum of weights, none of which is below 0.
  private static func token(
    _ weights: UnsafePointer<Float>, count: Int, sum: Double, uniform: Double
  ) -> Token {
    var left = uniform * sum
    var last = 0
    for token in 0..<count where weights[token] > 0 {
      last = token
      left -= Double(weights[token])
      if left < 0 { break }
    }
    return Token(last)
  }
}
