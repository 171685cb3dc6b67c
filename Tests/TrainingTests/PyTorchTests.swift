import Files
import Foundation
import Tensors
import Testing
import Training
import Verifier

/// A tiny Qwen3 model against PyTorch's autograd and AdamW (Tests/Fixtures/training).
@Suite struct PyTorchTests {
  static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/training")

  /// The content of expected.json, which Tests/Fixtures/README.md describes.
  struct Expected: Decodable {
    /// [sequences][length + 1]
    let tokens: [[Token]]
    /// The mean loss before each step, and after the last.
    let losses: [Double]
    let gradientNorm: Double
    let learningRate: Float
    let beta1: Float
    let beta2: Float
    let epsilon: Float
    let weightDecay: Float
    let steps: Int
  }

  @Test func lossGradientsAndStepsAgree() throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let expected = try decoder.decode(
      Expected.self, from: Data(contentsOf: Self.folder.appending(path: "expected.json")))
    let model = try loadModel()
    let sequences = expected.tokens.count
    let length = expected.tokens[0].count - 1
    let inputs = expected.tokens.flatMap { $0.prefix(length) }
    let targets = expected.tokens.flatMap { $0.suffix(length) }
    let pass = CausalPass(
      model: model, sequences: sequences, length: length,
      rotary: RotaryLayer(
        width: model.architecture.headDimension, theta: model.architecture.ropeTheta,
        positions: length))
    var constants = AdamW.Parameters()
    constants.beta1 = expected.beta1
    constants.beta2 = expected.beta2
    constants.epsilon = expected.epsilon
    constants.weightDecay = expected.weightDecay
    let optimizer = AdamW(constants, layout: model.layout)
    let workers = Workers(count: 2)
    let mean = 1 / Double(sequences * length)

    try #require(expected.losses.count == expected.steps + 1)
    for step in 0..<expected.steps {
      pass.clearGradients()
      let loss = pass.forwardBackward(
        inputs: inputs, targets: targets, count: sequences, scale: Float(mean))
      #expect(abs(loss * mean - expected.losses[step]) < 1e-4, "loss before step \(step)")
      if step == 0 {
        try expectGradients(pass, norm: expected.gradientNorm)
      }
      optimizer.step(
        parameters: model.parameters, gradients: pass.gradients, gradientScale: 1,
        rate: expected.learningRate, workers: workers)
    }
    let last = pass.loss(inputs: inputs, targets: targets, count: sequences)
    #expect(abs(last * mean - expected.losses[expected.steps]) < 1e-4, "loss after the steps")
    try expectTensors(
      model.parameters, model.layout, file: "after-3-steps.safetensors", within: 1e-4)
  }

  private func loadModel() throws -> CausalTrainingModel {
    let configuration = try ModelConfiguration(directory: Self.folder)
    try #require(configuration.tiesEmbeddings)
    var sizes = CausalArchitecture()
    sizes.vocabularySize = configuration.vocabularySize
    sizes.hiddenSize = configuration.hiddenSize
    sizes.intermediateSize = configuration.intermediateSize
    sizes.layerCount = configuration.layerCount
    sizes.headCount = configuration.headCount
    sizes.keyValueHeadCount = configuration.keyValueHeadCount
    sizes.headDimension = configuration.headDimension
    sizes.ropeTheta = configuration.ropeTheta
    sizes.normEpsilon = configuration.normEpsilon
    let model = CausalTrainingModel(sizes, seed: 1)
    let checkpoint = try Checkpoint(directory: Self.folder)
    #expect(checkpoint.names == model.layout.entries.map(\.name).sorted())
    for entry in model.layout.entries {
      let values = try checkpoint.floats(entry.name, shape: entry.shape)
      (model.parameters.base + entry.offset).update(from: values.base, count: entry.count)
      withExtendedLifetime(values) {}
    }
    return model
  }

  private func expectGradients(_ pass: CausalPass, norm: Double) throws {
    let sum = (0..<pass.gradients.count).reduce(0.0) {
      $0 + Double(pass.gradients.base[$1]) * Double(pass.gradients.base[$1])
    }
    #expect(abs(sum.squareRoot() - norm) < 1e-4 * norm)
    try expectTensors(
      pass.gradients, pass.model.layout, file: "gradients.safetensors", within: 1e-4)
  }

  /// Every value within a share of its tensor's largest magnitude.
  private func expectTensors(
    _ values: FloatBuffer, _ layout: ParameterLayout, file: String, within tolerance: Float
  ) throws {
    let checkpoint = try Checkpoint(file: Self.folder.appending(path: file))
    for entry in layout.entries {
      let expected = try checkpoint.floats(entry.name, shape: entry.shape)
      var (largest, farthest): (Float, Float) = (0, 0)
      for index in 0..<entry.count {
        let distance = abs(values.base[entry.offset + index] - expected.base[index])
        largest = max(largest, abs(expected.base[index]))
        farthest = distance.isNaN ? .infinity : max(farthest, distance)
      }
      #expect(farthest < tolerance * largest, "\(entry.name) of \(file): off by \(farthest)")
    }
  }
}
