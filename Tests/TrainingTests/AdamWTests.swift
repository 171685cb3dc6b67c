import Foundation
import Tensors
import Testing
import Training

/// The update against a scalar twin in f64; against PyTorch in `PyTorchTests`.
@Suite struct AdamWTests {
  private static var layout: ParameterLayout {
    var layout = ParameterLayout()
    _ = layout.add("matrix", shape: [19, 37], initialization: .ones)
    _ = layout.add("norm", shape: [19], initialization: .ones)
    _ = layout.add("last", shape: [1, 1], initialization: .ones)
    return layout
  }

  private static func random(_ count: Int, _ random: inout KeyedRandom) -> FloatBuffer {
    let buffer = FloatBuffer(count: count)
    for i in 0..<count { buffer.base[i] = Float(random.uniform() - 0.5) }
    return buffer
  }

  /// Five steps; returns all values after them.
  private static func run(threads: Int) -> (parameters: [Float], twin: [Double]) {
    var constants = AdamW.Parameters()
    constants.beta1 = 0.8
    constants.beta2 = 0.9
    constants.epsilon = 1e-3
    constants.weightDecay = 0.5
    let layout = Self.layout
    let workers = Workers(count: threads)
    let optimizer = AdamW(constants, layout: layout, stepCount: 0)
    var random = KeyedRandom(seed: 2, key: "adamw")
    let parameters = Self.random(layout.count, &random)
    var twin = (0..<layout.count).map { Double(parameters.base[$0]) }
    var (first, second) = (twin.map { _ in 0.0 }, twin.map { _ in 0.0 })
    for step in 1...5 {
      let gradients = Self.random(layout.count, &random)
      let rate = 0.1 / Double(step)
      optimizer.step(
        parameters: parameters, gradients: gradients, gradientScale: 0.7, rate: Float(rate),
        workers: workers)
      for entry in layout.entries {
        for i in entry.range {
          let g = 0.7 * Double(gradients.base[i])
          first[i] = 0.8 * first[i] + 0.2 * g
          second[i] = 0.9 * second[i] + 0.1 * g * g
          let m = first[i] / (1 - pow(0.8, Double(step)))
          let v = second[i] / (1 - pow(0.9, Double(step)))
          if entry.shape.count > 1 { twin[i] -= rate * 0.5 * twin[i] }
          twin[i] -= rate * m / (v.squareRoot() + 1e-3)
        }
      }
    }
    #expect(optimizer.stepCount == 5)
    return ((0..<layout.count).map { parameters.base[$0] }, twin)
  }

  @Test func `a step is that of the scalar twin`() {
    let (parameters, twin) = Self.run(threads: 1)
    let off = zip(parameters, twin).map { abs(Double($0) - $1) }.reduce(0, max)
    #expect(off < 2e-6)
  }

  @Test func `threads don't change a bit`() {
    let single = Self.run(threads: 1).parameters
    for threads in 2...4 {
      let changed = zip(single, Self.run(threads: threads).parameters).count { $0 != $1 }
      #expect(changed == 0, "\(threads) threads")
    }
  }
}
