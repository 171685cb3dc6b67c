package import Files
import Foundation

/// The blocks of one sequence that a drafter is trained on in one pass.
package struct DraftExample: Sendable {
  /// Rows of each block, the anchor's included.
  package let blockSize: Int
  /// Positions of the anchors, ascending; a block sees the context before its anchor: [blocks].
  package let anchors: [Int32]
  /// The token that each row shows, negative for a mask; the anchors' always: [blocks][blockSize].
  package private(set) var shown: [Token]
  /// The tokens before the last anchor: what the last block sees.
  package let context: [Token]
  /// The token before each drafted row's own: [blocks][blockSize − 1].
  package let previous: [Token]
  /// The draft index of each row's own token, ``uncoveredTarget`` where the draft vocabulary lacks it, −1
  /// where there is nothing to guess: [blocks][blockSize − 1].
  package private(set) var targets: [Int32]
  /// The target of a row whose token can't be drafted.
  static let uncoveredTarget: Int32 = -2
  /// The weight of each row: [blocks][blockSize − 1].
  package var weights: [Float]
  /// Rows whose token exists, inside the draft vocabulary or not.
  package let labels: Int
  /// Rows whose token is outside the draft vocabulary.
  package let uncovered: Int

  /// The sum of the weights of rows that count.
  package var totalWeight: Double {
    zip(targets, weights).reduce(0) { $1.0 < 0 ? $0 : $0 + Double($1.1) }
  }

  /// Cuts blocks out of a sequence.
  ///
  /// - Parameters:
  ///   - anchors: Positions in `tokens`, ascending.
  ///   - blockSize: Rows of a block, the anchor's included.
  ///   - decay: γ of the weights exp(−(k−1)/γ) of rows k = 1, 2 …; `nil` for 1.
  ///   - choices: The draft index of each token, −1 outside the draft vocabulary.
  package init(tokens: [Token], anchors: [Int], blockSize: Int, decay: Double?, choices: [Int32]) {
    self.blockSize = blockSize
    self.anchors = anchors.map { Int32($0) }
    context = Array(tokens[..<(anchors.last ?? 0)])
    shown = anchors.flatMap { [tokens[$0]] + [Token](repeating: -1, count: blockSize - 1) }
    let curve =
      decay.map { DraftWeights.decaying(blockSize: blockSize, decay: $0) }
      ?? [Float](repeating: 1, count: blockSize - 1)
    var (previous, targets, labels, uncovered) = ([Token](), [Int32](), 0, 0)
    for anchor in anchors {
      for row in 1..<blockSize {
        let position = anchor + row
        guard position < tokens.count else {
          previous.append(tokens[anchor])  // counts for nothing
          targets.append(-1)
          continue
        }
        let choice = choices[Int(tokens[position])]
        previous.append(tokens[position - 1])
        targets.append(choice < 0 ? Self.uncoveredTarget : choice)
        labels += 1
        if choice < 0 { uncovered += 1 }
      }
    }
    self.previous = previous
    self.targets = targets
    self.labels = labels
    self.uncovered = uncovered
    weights = anchors.flatMap { _ in curve }
  }

  /// Shows rows of each block, as the first stage of a drafter that sees tokens wants it (DEER, arXiv
  /// 2512.15176; docs/algorithms.md 3.2).
  ///
  /// A block has a noise level t; each of its rows stays masked with chance t, and then counts 1/t as
  /// much.
  /// - Parameters:
  ///   - tokens: Those that the example was cut from.
  ///   - least: Levels are drawn evenly from here to 1: above 0, or single rows would count for
  ///     everything.
  ///   - maskedShare: The share of blocks with level 1, which is how blocks are served.
  package mutating func addNoise(
    from tokens: [Token], least: Double, maskedShare: Double, random: inout KeyedRandom
  ) {
    for (block, anchor) in anchors.enumerated() {
      let isMasked = random.uniform() < maskedShare
      let level = isMasked ? 1 : least + (1 - least) * random.uniform()
      for row in 1..<blockSize {
        let (draft, position) = (block * (blockSize - 1) + row - 1, Int(anchor) + row)
        if random.uniform() < level {
          weights[draft] *= Float(1 / level)
        } else if position < tokens.count {
          show(tokens[position], block: block, row: row)
        }
      }
    }
  }

  /// Shows a row its token, so that there is nothing to guess.
  mutating func show(_ token: Token, block: Int, row: Int) {
    shown[block * blockSize + row] = token
    targets[block * (blockSize - 1) + row - 1] = -1
  }

  package mutating func weigh(_ curve: [Float]) {
    for index in weights.indices { weights[index] *= curve[index % curve.count] }
  }
}

/// Weights of a block's rows: early rows matter more, because a wrong one ends the draft.
package enum DraftWeights {
  /// exp(−(k−1)/γ) for rows k = 1 … blockSize − 1 (DFlash, arXiv 2602.06036).
  package static func decaying(blockSize: Int, decay: Double) -> [Float] {
    (0..<blockSize - 1).map { Float(exp(-Double($0) / decay)) }
  }

  /// α^(R−i) for rows i = 1 … R, R being `blockSize` − 1: the second stage of DEER (arXiv 2512.15176),
  /// which found 1.01 good, 1.02 noisy and 1.05 diverging.
  package static func rising(blockSize: Int, alpha: Double) -> [Float] {
    (1..<blockSize).map { Float(pow(alpha, Double(blockSize - 1 - $0))) }
  }

  /// What each row of a block adds to the length that is accepted (D-PACE, arXiv 2605.18810): row j
  /// counts Σ_{m ≥ j} Π_{i ≤ m} s_i with s = ½ exp(−loss) + ½, as a share of the block's rows.
  ///
  /// - Parameter losses: The cross-entropies of a block's rows; `nil` for one without a token to guess,
  ///   where a draft ends whatever is proposed.
  /// - Complexity: O(rows).
  package static func pace(_ losses: [Float?]) -> [Float] {
    var product: Float = 1
    var weights = losses.map { loss -> Float in
      product *= loss.map { 0.5 * exp(-$0) + 0.5 } ?? 0
      return product
    }
    for row in weights.indices.dropLast().reversed() { weights[row] += weights[row + 1] }
    return weights.map { $0 / Float(losses.count) }
  }

  /// The published γ of block sizes 8, 10 and 16; others lie on the lines between them.
  package static func decay(blockSize: Int) -> Double {
    switch blockSize {
    case ...8: 4 * Double(blockSize) / 8
    case ...10: 4 + Double(blockSize - 8) / 2
    default: 5 + Double(blockSize - 10) / 3
    }
  }
}
