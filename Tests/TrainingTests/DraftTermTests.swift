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
      ct_draft_terms(cross_entropy: factors[0], divergence: factors[1], variation: factors[2]), &q,
      p)
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
}
