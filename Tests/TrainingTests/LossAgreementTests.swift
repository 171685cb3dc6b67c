import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Training
import Verifier

/// Training and serving agree: the trainer's loss is that of the exported model's logits.
@Suite struct LossAgreementTests {
  @Test(arguments: [(1, 1, 2), (2, 7, 2), (3, 150, 1)])
  func `the loss is that of the serving engine's logits`(
    layers: Int, length: Int, sequences: Int
  ) throws {
    let architecture = TinyTraining.architecture(layers: layers)
    let model = TinyTraining.livelyModel(architecture, seed: 4)
    let folder = try TemporaryFolder()
    let configuration = architecture.configuration(type: .f32)
    try ModelExport.write(model, configuration: configuration, tokenizer: nil, to: folder.url)
    let served = try CausalModel(directory: folder.url)
    #expect(served.configuration == configuration)

    var random = KeyedRandom(seed: 9, key: "tokens")
    let tokens = (0..<sequences).map { _ in
      (0...length).map { _ in Token(random.next() % UInt64(TinyTokenizer.vocabulary)) }
    }
    let pass = CausalPass(
      model: model, sequences: sequences, length: length,
      rotary: RotaryLayer(
        width: architecture.headDimension, theta: architecture.ropeTheta, positions: length))
    let loss = pass.loss(
      inputs: tokens.flatMap { $0.dropLast() }, targets: tokens.flatMap { $0.dropFirst() },
      count: sequences)

    let runner = CausalRunner(model: served, workers: Workers(count: 1), maximumRows: 64)
    let expected = try tokens.reduce(0.0) { try $0 + crossEntropy($1, runner) }
    #expect(expected > Double(sequences * length))  // random targets are not guessed
    #expect(abs(loss - expected) < 1e-4 * expected, "\(loss) trained, \(expected) served")
  }

  /// The summed loss of every token but the first.
  private func crossEntropy(_ tokens: [Token], _ runner: CausalRunner) throws -> Double {
    let cache = try runner.makeCache(capacity: tokens.count)
    let vocabulary = runner.model.configuration.vocabularySize
    var sum = 0.0
    var start = 0
    while start < tokens.count - 1 {
      let piece = Array(tokens[start..<min(start + runner.maximumRows, tokens.count - 1)])
      piece.withUnsafeBufferPointer { runner.forward($0, cache: cache, logits: .all) }
      for row in piece.indices {
        let logits = (0..<vocabulary).map { Double(runner.logits[row * vocabulary + $0]) }
        let highest = logits.reduce(-.infinity, max)
        let total = logits.reduce(0) { $0 + exp($1 - highest) }
        sum += highest + log(total) - logits[Int(tokens[start + row + 1])]
      }
      start += piece.count
    }
    return sum
  }
}
