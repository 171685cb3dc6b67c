import Files
import Tensors
import TestSupport
import Testing
import Verifier

extension ModelFamily {
  /// A family that is nobody's: half of each head is rotated, and attention is normed behind, not before.
  static let exercise: ModelFamily = {
    var family = ModelFamily(name: "exercise", architecture: "ExerciseForCausalLM")
    family.rotation.share = 0.5
    family.attentionScale = 0.3
    family.mixerNorms = .after
    family.tensors.layer.mixerPostNorm = "mixer_norm"
    return family
  }()
}

/// What a new family takes: this file, and no other.
@Suite struct ExerciseFamilyTests {
  private func configuration(headDimension: Int) -> ModelConfiguration {
    ModelConfiguration(
      family: .exercise, vocabularySize: 61, hiddenSize: 24, intermediateSize: 40, layerCount: 3,
      headCount: 4, keyValueHeadCount: 2, headDimension: headDimension, tiesEmbeddings: true)
  }

  /// Writes a folder of random weights and loads it.
  private func load(_ model: ModelConfiguration, _ format: WeightFormat) throws -> CausalModel {
    let folder = try TemporaryFolder()
    try folder.write(model.encoded(), to: "config.json")
    let tensors = tensors(model)
    let entries = tensors.map { name, shape, values in
      SafetensorsWriter.Entry(name: name, shape: shape, type: .f32, values: values.base)
    }
    try withExtendedLifetime(tensors) {
      try SafetensorsWriter.write(entries, metadata: [:], to: folder.file("model.safetensors"))
    }
    return try CausalModel(
      directory: folder.url, weights: WeightFormatChoice(layers: format),
      families: FamilyRegistry(FamilyRegistry.standard.families + [.exercise]))
  }

  /// Heads of 16 and of 12 values: workers take whole heads of the first alone.
  @Test(arguments: [16, 12], [1, 2, 3])
  func logitsAreThoseOfPlainSums(headDimension: Int, threads: Int) throws {
    let configuration = configuration(headDimension: headDimension)
    let tokens = randomTokens(23, below: 61, seed: 1)
    let runner = CausalRunner(
      model: try load(configuration, .f32), workers: Workers(count: threads),
      maximumRows: 23)
    #expect(runner.model.configuration == configuration)
    let cache = try runner.makeCache(capacity: 23)
    tokens.withUnsafeBufferPointer { runner.forward($0, cache: cache, logits: .all) }
    let expected = plainLogits(configuration, tokens, postNorm: "mixer_norm", scale: 0.3)
    for row in 0..<23 {
      let logits = UnsafeBufferPointer(start: runner.logits + row * 61, count: 61)
      #expect(ReferenceModel.distance(logits, from: expected[row]) < 1e-4, "row \(row)")
    }
  }

  /// One row at a time, sixteen, and the rows of a tree are the same to the bit.
  @Test(arguments: [16, 12], WeightFormat.allCases)
  func rowsAreInvariant(headDimension: Int, format: WeightFormat) throws {
    let model = try load(configuration(headDimension: headDimension), format)
    let tree = TreePassTests.tree(rows: 16, vocabulary: 61, seed: 3)
    let text = randomTokens(270, below: 61, seed: 2)
    let single = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 1)
    let expected = try (0..<16).map { row in
      try rows(single, text + TreePassTests.path(to: row, of: tree).map { tree.tokens[$0] }, 1)
    }
    for threads in 1...3 {
      let runner = CausalRunner(model: model, workers: Workers(count: threads), maximumRows: 16)
      #expect(try rows(runner, text + [tree.tokens[0]], 16) == expected[0])
      let cache = try runner.makeCache(capacity: 300)
      runner.read(text, into: cache)
      runner.forward(forest: [PlantedTree(tree, in: cache)])
      for row in 0..<16 { #expect(bits(runner, row: row) == expected[row].last, "row \(row)") }
    }
  }
}
