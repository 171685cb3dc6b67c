import CKernels
import Foundation
import Testing
import Training

/// The terms of the drafter's objective against their definitions in f64.
@Suite struct DraftTermTests {
  private static let columns = 37

  private func softmax(_ logits: [Double]) -> [Double] {
    let top = logits.reduce(-.infinity, max)
    let weights = logits.map { exp($0 - top) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  /// Cross-entropy, divergence and variation of one row.
  private func terms(_ logits: [Double], _ teacher: [Double], target: Int) -> [Double] {
    let (q, p) = (softmax(logits), softmax(teacher))
    return [
      -log(q[target]), zip(p, q).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) },
      0.5 * zip(p, q).reduce(0) { $0 + abs($1.0 - $1.1) },
    ]
  }

  @Test(arguments: [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.3, 0.2, 2]] as [[Float]])
  func `losses and gradients are those of the definitions`(factors: [Float]) {
    var random = KeyedRandom(seed: 4, key: "\(factors)")
    let columns = Self.columns
    let targets: [Int32] = [4, -1, 0, 36]
    let rows = targets.count
    let logits = (0..<rows * columns).map { _ in Float(random.uniform() * 8 - 4) }
    let teacher = (0..<rows * columns).map { _ in Float(random.uniform() * 8 - 4) }
    let weights: [Float] = [1, 1, 0.5, 2]
    var (q, p) = (logits, teacher)
    var means = [Float](repeating: 0, count: rows)
    var losses = [ct_draft_terms](repeating: ct_draft_terms(), count: rows)
    ct_softmax(rows, columns, targets, &p, &means)
    ct_draft_losses(rows, columns, targets, &q, p, means, &losses)
    ct_draft_gradient(
      rows, columns, targets, weights, 3,
      ct_draft_terms(cross_entropy: factors[0], divergence: factors[1], variation: factors[2]), 0,
      nil, &q, p)
    for (row, target) in targets.enumerated() {
      let range = row * columns..<(row + 1) * columns
      guard target >= 0 else {
        #expect(losses[row].divergence == 0 && q[range].allSatisfy { $0 == 0 })
        continue
      }
      let own = logits[range].map(Double.init)
      let other = teacher[range].map(Double.init)
      let told = [losses[row].cross_entropy, losses[row].divergence, losses[row].variation]
      for (told, expected) in zip(told, terms(own, other, target: Int(target))) {
        #expect(abs(Double(told) - expected) < 1e-5 * max(1, expected))
      }
      func whole(_ logits: [Double]) -> Double {
        zip(factors, terms(logits, other, target: Int(target)))
          .reduce(0) { $0 + Double($1.0) * $1.1 } * 3 * Double(weights[row])
      }
      for column in 0..<columns {
        var (up, down) = (own, own)
        up[column] += 1e-6
        down[column] -= 1e-6
        let slope = (whole(up) - whole(down)) / 2e-6
        #expect(abs(Double(q[range][range.lowerBound + column]) - slope) < 1e-4)
      }
    }
  }

  /// Entropy counts where the target's token is the likeliest, and nowhere else.
  @Test(arguments: [false, true])
  func `certainty is forced where a row is right`(hasTeacher: Bool) {
    var random = KeyedRandom(seed: 5, key: "certainty")
    let columns = Self.columns
    let targets: [Int32] = [4, 7, -1, 36, 11]
    let rows = targets.count
    var logits = (0..<rows * columns).map { _ in Float(random.uniform() * 8 - 4) }
    logits[4] = 4.5  // right, and unsure
    logits[3 * columns + 36] = 40  // right, and sure: the other probabilities are tiny or 0
    logits[4 * columns + 11] = 5
    let teacher = (0..<rows * columns).map { _ in Float(random.uniform() * 8 - 4) }
    let weights: [Float] = [1, 1, 1, 2, 0.5]
    var (q, p) = (logits, teacher)
    var means = [Float](repeating: 0, count: rows)
    var losses = [ct_draft_terms](repeating: ct_draft_terms(), count: rows)
    var entropies = means
    ct_softmax(rows, columns, targets, &p, &means)
    ct_draft_losses(rows, columns, targets, &q, hasTeacher ? p : nil, means, &losses)
    ct_certain_entropies(rows, columns, targets, q, &entropies)
    let terms = ct_draft_terms(
      cross_entropy: 0.2, divergence: hasTeacher ? 0.3 : 0, variation: 0)
    ct_draft_gradient(
      rows, columns, targets, weights, 3, terms, 0.7, entropies, &q, hasTeacher ? p : nil)
    #expect(entropies[1] == -1 && entropies[2] == -1)
    for (row, target) in targets.enumerated() where target >= 0 {
      let range = row * columns..<(row + 1) * columns
      let (own, other) = (logits[range].map(Double.init), teacher[range].map(Double.init))
      let isRight = row != 1
      func entropy(_ logits: [Double]) -> Double {
        softmax(logits).reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
      }
      if isRight { #expect(abs(Double(entropies[row]) - entropy(own)) < 1e-5) }
      func whole(_ logits: [Double]) -> Double {
        let known = self.terms(logits, other, target: Int(target))
        return 3 * Double(weights[row])
          * (0.2 * known[0] + (hasTeacher ? 0.3 * known[1] : 0)
            + (isRight ? 0.7 * entropy(logits) : 0))
      }
      for column in 0..<columns {
        var (up, down) = (own, own)
        up[column] += 1e-6
        down[column] -= 1e-6
        let slope = (whole(up) - whole(down)) / 2e-6
        #expect(abs(Double(q[range][range.lowerBound + column]) - slope) < 1e-4, "row \(row)")
      }
    }
  }
}
