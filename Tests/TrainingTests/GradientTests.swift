import Drafter
import Files
import Tensors
import Testing
import Training

/// Whole models against central differences: every tensor of every layer type, along its gradient
/// and along a random direction.
@Suite struct GradientTests {
  @Test(arguments: [(1, 5), (2, 24), (3, 150)])
  func `every tensor's gradient agrees with central differences`(
    sequences: Int, length: Int
  ) throws {
    let check = GradientCheck(sequences: sequences, length: length)
    for entry in check.model.layout.entries {
      for direction in check.directions(entry) {
        let (analytic, numeric) = check.derivatives(entry, along: direction)
        // The loss, a sum over all rows in f32, leaves noise in a difference: below this it is all noise.
        let scale = max(abs(analytic), abs(numeric), 0.1 + 0.003 * Double(sequences * length))
        #expect(
          abs(analytic - numeric) < 1e-3 * scale,
          "\(entry.name), \(sequences) × \(length): \(analytic) analytic, \(numeric) numeric")
      }
    }
  }
}

/// Gradients of rounded products against those of f32 ones, tensor by tensor.
@Suite struct RoundedGradientTests {
  @Test(arguments: [(1, 5), (2, 24), (3, 150)])
  func `a model's agree in direction and length`(sequences: Int, length: Int) {
    let exact = GradientCheck(sequences: sequences, length: length)
    let rounded = GradientCheck(sequences: sequences, length: length, precision: .bf16)
    #expect(rounded.loss != exact.loss)
    #expect(abs(rounded.loss / exact.loss - 1) < 0.01)
    expectClose(
      rounded.pass.gradients, exact.pass.gradients, exact.model.layout,
      "\(sequences) × \(length)")
  }

  @Test(arguments: DrafterKind.allCases)
  func `a drafter's agree in direction and length`(kind: DrafterKind) {
    let passes = ProductPrecision.allCases.map { precision in
      let fixture = DrafterFixture(
        anchors: Array(stride(from: 2, to: 118, by: 3)), length: 120,
        objective: DraftObjective(crossEntropy: 0.3, divergence: 0.5), kind: kind,
        precision: precision)
      fixture.pass.clearGradients()
      _ = fixture.pass.forwardBackward(fixture.example, features: fixture.features, scale: 1)
      return fixture.pass
    }
    expectClose(passes[1].gradients, passes[0].gradients, passes[0].model.layout, "\(kind)")
  }

  private func expectClose(
    _ rounded: FloatBuffer, _ exact: FloatBuffer, _ layout: ParameterLayout, _ what: String
  ) {
    for entry in layout.entries {
      var (dot, a, b) = (0.0, 0.0, 0.0)
      for i in entry.range {
        let (x, y) = (Double(rounded.base[i]), Double(exact.base[i]))
        (dot, a, b) = (dot + x * y, a + x * x, b + y * y)
      }
      let cosine = dot / (a * b).squareRoot()
      #expect(cosine > 0.995 && cosine < 1, "\(entry.name), \(what): cosine \(cosine)")
      let ratio = (a / b).squareRoot()
      #expect(abs(ratio - 1) < 0.03, "\(entry.name), \(what): length \(ratio)")
    }
  }
}

/// A tiny model with lively weights and random tokens.
private struct GradientCheck {
  let model: CausalTrainingModel
  let pass: CausalPass
  let loss: Double
  let inputs: [Token]
  let targets: [Token]
  let sequences: Int

  init(sequences: Int, length: Int, precision: ProductPrecision = .f32) {
    var sizes = CausalArchitecture()
    sizes.vocabularySize = 50
    sizes.hiddenSize = 24
    sizes.intermediateSize = 40
    sizes.layerCount = 2
    sizes.headCount = 4
    sizes.keyValueHeadCount = 2
    sizes.headDimension = 8
    model = CausalTrainingModel(sizes, seed: 3, precision: precision)
    self.sequences = sequences
    var random = KeyedRandom(seed: 11, key: "values")
    // Larger than at the start of training, so that no gradient is near zero.
    for i in 0..<model.parameters.count {
      model.parameters.base[i] = model.parameters.base[i] * 8 + Float(random.uniform() - 0.5) * 0.2
    }
    for entry in model.layout.entries where entry.initialization == .ones {
      for i in entry.range { model.parameters.base[i] = 0.7 + Float(random.uniform()) * 0.6 }
    }
    pass = CausalPass(
      model: model, sequences: sequences, length: length,
      rotary: RotaryLayer(width: 8, theta: 10_000, positions: length))
    inputs = (0..<sequences * length).map { _ in Token(random.next() % 50) }
    targets = (0..<sequences * length).map { $0 % 7 == 3 ? -1 : Token(random.next() % 50) }
    pass.clearGradients()
    loss = pass.forwardBackward(
      inputs: inputs, targets: targets, count: sequences, scale: 1)
  }

  /// The gradient itself and two random directions, each of length 1.
  func directions(_ entry: ParameterEntry) -> [[Float]] {
    var random = KeyedRandom(seed: 5, key: entry.name)
    let gradient = entry.range.map { pass.gradients.base[$0] }
    let noise = entry.range.map { _ in Float(random.uniform() - 0.5) }
    let mixed = zip(unit(gradient), unit(noise)).map { 0.3 * $0 + $1 }
    return [unit(gradient), unit(mixed)]
  }

  private func unit(_ vector: [Float]) -> [Float] {
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return vector.map { $0 / length }
  }

  func derivatives(
    _ entry: ParameterEntry, along direction: [Float]
  ) -> (analytic: Double, numeric: Double) {
    let analytic = zip(entry.range, direction).reduce(0.0) {
      $0 + Double(pass.gradients.base[$1.0]) * Double($1.1)
    }
    // Fourth-order central differences allow a step large enough for f32.
    let step: Float = 0.01
    let near = moved(entry, direction, by: step) - moved(entry, direction, by: -step)
    let far = moved(entry, direction, by: 2 * step) - moved(entry, direction, by: -2 * step)
    return (analytic, (8 * near - far) / (12 * Double(step)))
  }

  private func moved(_ entry: ParameterEntry, _ direction: [Float], by step: Float) -> Double {
    let values = model.parameters.base + entry.offset
    let saved = Array(UnsafeBufferPointer(start: values, count: entry.count))
    for i in 0..<entry.count { values[i] += step * direction[i] }
    defer { values.update(from: saved, count: entry.count) }
    return pass.loss(inputs: inputs, targets: targets, count: sequences)
  }
}
