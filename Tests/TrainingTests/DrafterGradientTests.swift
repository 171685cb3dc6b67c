import Tensors
import Testing

import Training

/// The drafter against central differences: every tensor, along its gradient and along a random
/// direction.
@Suite struct DrafterGradientTests {
  @Test(arguments: [
    [3, 4, 9, 17, 18, 21], [0], [0, 5, 40], Array(stride(from: 2, to: 118, by: 3)),
  ])
  func `every tensor's gradient agrees with central differences`(anchors: [Int]) throws {
    let fixture = DrafterFixture(anchors: anchors, length: (anchors.last ?? 0) + 4)
    fixture.pass.clearGradients()
    _ = fixture.pass.forwardBackward(
      fixture.example, features: fixture.features.base, scale: 1)
    var moving = 0
    for entry in fixture.model.layout.entries {
      for direction in directions(entry, fixture) {
        let analytic = zip(entry.range, direction).reduce(0.0) {
          $0 + Double(fixture.pass.gradients.base[$1.0]) * Double($1.1)
        }
        let numeric = derivative(entry, along: direction, fixture)
        // The loss, a sum over all rows in f32, leaves noise in a difference.
        let noise = 0.1 + 0.003 * fixture.example.totalWeight
        let scale = max(abs(analytic), abs(numeric), noise)
        if scale > noise { moving += 1 }
        #expect(
          abs(analytic - numeric) < 1e-3 * max(scale, 3 * noise),
          "\(entry.name), anchors \(anchors): \(analytic) analytic, \(numeric) numeric")
      }
    }
    // With no context at all, fc and hidden_norm and nothing else have no gradient.
    #expect(moving >= fixture.model.layout.entries.count)
  }

  /// The gradient itself and a mix of it with noise, each of length 1.
  private func directions(_ entry: ParameterEntry, _ fixture: DrafterFixture) -> [[Float]] {
    var random = KeyedRandom(seed: 5, key: entry.name)
    let gradient = unit(entry.range.map { fixture.pass.gradients.base[$0] })
    let noise = unit(entry.range.map { _ in Float(random.uniform() - 0.5) })
    return [gradient, unit(zip(gradient, noise).map { 0.3 * $0 + $1 })]
  }

  private func unit(_ vector: [Float]) -> [Float] {
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length > 0 ? vector.map { $0 / length } : vector
  }

  private func derivative(
    _ entry: ParameterEntry, along direction: [Float], _ fixture: DrafterFixture
  ) -> Double {
    func moved(_ step: Float) -> Double {
      let values = fixture.model.parameters.base + entry.offset
      let saved = Array(UnsafeBufferPointer(start: values, count: entry.count))
      for i in 0..<entry.count { values[i] += step * direction[i] }
      defer { values.update(from: saved, count: entry.count) }
      return fixture.pass.loss(fixture.example, features: fixture.features.base)
    }
    // Fourth-order central differences allow a step large enough for f32.
    let step: Float = 0.01
    let (near, far) = (moved(step) - moved(-step), moved(2 * step) - moved(-2 * step))
    return (8 * near - far) / (12 * Double(step))
  }
}
