import Files
import Foundation
import Tensors

/// Log-probabilities of tokens in rows of logits, before penalties, temperature and filters.
///
/// They are functions of the row alone, so that they don't depend on what shares its pass.
package final class RowScorer {
  /// How many of the most probable tokens are told.
  private let count: Int
  /// The row: [vocabulary].
  private let logits: FloatBuffer
  /// Its unnormalised probabilities: [vocabulary].
  private let weights: FloatBuffer
  /// What log-probabilities are less than logits by.
  private var shift: Float = 0
  private var top: [ScoredToken] = []

  package init(vocabulary: Int, count: Int) {
    self.count = count
    logits = FloatBuffer(count: vocabulary)
    weights = FloatBuffer(count: vocabulary)
  }

  /// Takes a row before it is processed.
  ///
  /// - Parameter row: raw logits: [vocabulary].
  package func read(_ row: UnsafePointer<Float>) {
    logits.base.update(from: row, count: logits.count)
    let maximum = Kernels.maximum(row, count: logits.count)
    let total = Kernels.exp(row, into: weights.base, count: logits.count, shift: maximum)
    shift = maximum + log(total)
    guard count > 0 else { return }
    top = TopWeights.columns(logits.base, count: logits.count, limit: count).map {
      ScoredToken(id: Token($0), logProbability: logits.base[$0] - shift)
    }
  }

  /// The scores of a token of the row that was read last.
  package func scores(of token: Token) -> TokenScores {
    TokenScores(logProbability: logits.base[Int(token)] - shift, top: top)
  }
}
