package import Files
import Foundation
import Tensors

/// What a pass says of a row, heads and biases included, before penalties, temperature and noise.
package struct RowDistribution: Sendable, Equatable {
  /// The most probable tokens, falling; of equal ones the lower first.
  package var top: [TokenLogit]
  /// The logarithm of the sum of all exponentials.
  package var logSum: Float
  /// In nats.
  package var entropy: Float
  /// All logits, where the policy looks at them: [choices].
  package var logits: [Float] = []
  /// The token of each of these, ascending; nil where it is its index.
  package var vocabulary: [Token]?

  /// Tokens that are kept of each row.
  package static let most = 16

  package init(top: [TokenLogit], logSum: Float, entropy: Float) {
    self.top = top
    self.logSum = logSum
    self.entropy = entropy
  }

  /// Reads a row of logits.
  ///
  /// - Parameter vocabulary: the token of each index, ascending; nil for the index itself.
  package init(
    _ logits: UnsafePointer<Float>, count: Int, keepsLogits: Bool = false,
    vocabulary: [Token]? = nil
  ) {
    var top: [TokenLogit] = []
    top.reserveCapacity(Self.most + 1)
    for index in 0..<count {
      let logit = logits[index]
      if top.count == Self.most, !(logit > top[Self.most - 1].logit) { continue }
      var place = top.count
      while place > 0, top[place - 1].logit < logit { place -= 1 }
      let token = vocabulary?[index] ?? Token(index)
      top.insert(TokenLogit(column: index, token: token, logit: logit), at: place)
      if top.count > Self.most { top.removeLast() }
    }
    let greatest = top.first?.logit ?? 0
    var (sum, weighted) = (Float(0), Float(0))
    for index in 0..<count {
      let weight = exp(logits[index] - greatest)
      sum += weight
      if weight > 0 { weighted += weight * (logits[index] - greatest) }
    }
    self.top = top
    logSum = greatest + log(sum)
    entropy = log(sum) - weighted / sum
    guard keepsLogits else { return }
    self.logits = Array(UnsafeBufferPointer(start: logits, count: count))
    self.vocabulary = vocabulary
  }

  /// The most probable token.
  package var token: Token { top.first?.token ?? 0 }
  /// Its probability.
  package var probability: Float { probability(0) }
  /// The distance of the two greatest logits.
  package var margin: Float { top.count > 1 ? top[0].logit - top[1].logit : .infinity }

  /// The probability of the token of a rank, 0 for the most probable one.
  package func probability(_ rank: Int) -> Float {
    rank < top.count ? exp(top[rank].logit - logSum) : 0
  }
}

extension RowDistribution {
  /// The logit of a token; nil for one that isn't drafted, or whose logit wasn't kept.
  package func logit(of token: Token) -> Float? {
    if let kept = top.first(where: { $0.token == token }) { return kept.logit }
    guard let column = vocabulary.map({ $0.column(of: token) }) ?? Int(token),
      logits.indices.contains(column)
    else { return nil }
    return logits[column]
  }
}

extension [Token] {
  /// Where a token stands in an ascending vocabulary.
  func column(of token: Token) -> Int? {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < token { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low] == token ? low : nil
  }
}

/// A token and its logit.
package struct TokenLogit: Sendable, Equatable {
  /// Its index among the choices.
  package var column: Int
  package var token: Token
  package var logit: Float

  package init(column: Int, token: Token, logit: Float) {
    self.column = column
    self.token = token
    self.logit = logit
  }
}
