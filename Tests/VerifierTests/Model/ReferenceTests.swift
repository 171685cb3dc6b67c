import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

/// Every family against the numbers of another implementation (Tests/Fixtures/models).
@Suite struct ReferenceTests {
  /// The largest share of a row's largest magnitude by which a value may be off.
  static let tolerance: Float = 1e-4
  static let models = ReferenceModel.names.map(ReferenceModel.init)

  @Test func everyFolderIsTested() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: ReferenceModel.root.path)
    #expect(folders.sorted() == ReferenceModel.names)
  }

  @Test(arguments: models, [1, 2])
  func logitsAndTapsAgree(_ reference: ReferenceModel, threads: Int) throws {
    let expected = try reference.expected()
    let model = try CausalModel(
      directory: reference.directory, weights: WeightFormatChoice(layers: .f32))
    let configuration = model.configuration
    let rows = expected.inputIDs.count
    let layers = Array(0..<configuration.layerCount)
    try #require(expected.taps.count == layers.count)
    let runner = CausalRunner(
      model: model, workers: Workers(count: threads), maximumRows: rows, taps: layers)
    let cache = try runner.makeCache(capacity: rows)
    expected.inputIDs.withUnsafeBufferPointer {
      runner.forward($0, cache: cache, logits: .all)
    }
    #expect(cache.count == rows)

    let vocabulary = configuration.vocabularySize
    for (row, logits) in zip(expected.logitRows, expected.logits) {
      let computed = UnsafeBufferPointer(
        start: runner.logits + row * vocabulary, count: vocabulary)
      let distance = ReferenceModel.distance(computed, from: logits)
      #expect(distance < Self.tolerance, "logits of row \(row)")
    }
    let hidden = configuration.hiddenSize
    for (layer, taps) in expected.taps.enumerated() {
      for (index, row) in expected.tapRows.enumerated() {
        let computed = UnsafeBufferPointer(
          start: runner.taps + (row * layers.count + layer) * hidden, count: hidden)
        let distance = ReferenceModel.distance(
          computed, from: Array(taps[index * hidden..<(index + 1) * hidden]))
        #expect(distance < Self.tolerance, "output of layer \(layer), row \(row)")
      }
    }
  }

  /// The prompt in one piece, then in pieces that end inside a sliding window; then token by token.
  @Test(arguments: models, [24, 5])
  func greedyIDsAreEqual(_ reference: ReferenceModel, rowsPerPass: Int) throws {
    let expected = try reference.expected()
    let model = try CausalModel(
      directory: reference.directory, weights: WeightFormatChoice(layers: .f32))
    let runner = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: rowsPerPass)
    let cache = try runner.makeCache(
      capacity: expected.inputIDs.count + expected.greedyIDs.count)
    #expect(
      greedy(runner, cache, after: expected.inputIDs, count: expected.greedyIDs.count)
        == expected.greedyIDs)
  }

  /// Files written from tied tensors hold one of the two names, and not always the same one.
  @Test func tiedTensorMayBearTheHeadsName() throws {
    let reference = ReferenceModel(name: "qwen2")
    let expected = try reference.expected()
    let checkpoint = try Checkpoint(directory: reference.directory)
    let ids = try TestFiles.withFolder([
      "config.json": Data(contentsOf: reference.directory.appending(path: "config.json"))
    ]) { folder in
      var buffers: [FloatBuffer] = []
      let entries = try checkpoint.names.map { name in
        let shape = try #require(checkpoint.shape(of: name))
        buffers.append(try checkpoint.floats(name, shape: shape))
        return SafetensorsWriter.Entry(
          name: name == "model.embed_tokens.weight" ? "lm_head.weight" : name, shape: shape,
          type: .f32, values: buffers[buffers.count - 1].base)
      }
      try SafetensorsWriter.write(
        entries, metadata: [:], to: folder.appending(path: "model.safetensors"))
      let runner = CausalRunner(
        model: try CausalModel(directory: folder), workers: Workers(count: 1), maximumRows: 24)
      let cache = try runner.makeCache(capacity: 48)
      return greedy(runner, cache, after: expected.inputIDs, count: 24)
    }
    #expect(ids == Array(expected.greedyIDs.prefix(24)))
  }

  /// As stored: the widened and the kept bf16 weights are the same numbers, so only the machine's
  /// bf16 products, where it has them, may round differently.
  @Test func storedFormatIsKept() throws {
    let reference = ReferenceModel(name: "qwen3-bf16")
    let expected = try reference.expected()
    let model = try CausalModel(directory: reference.directory)
    #expect(model.head.format == .bf16)
    let runner = CausalRunner(
      model: model, workers: Workers(count: 1), maximumRows: expected.inputIDs.count)
    let cache = try runner.makeCache(capacity: expected.inputIDs.count)
    expected.inputIDs.withUnsafeBufferPointer {
      runner.forward($0, cache: cache, logits: .all)
    }
    let vocabulary = model.configuration.vocabularySize
    let tolerance = InstructionSet.current == .avx512bf16 ? 0.05 : Self.tolerance
    for (row, logits) in zip(expected.logitRows, expected.logits) {
      let computed = UnsafeBufferPointer(
        start: runner.logits + row * vocabulary, count: vocabulary)
      #expect(ReferenceModel.distance(computed, from: logits) < tolerance, "row \(row)")
    }
  }

  /// The layouts of transformers 4 and 5 say the same.
  @Test(arguments: models)
  func bothConfigurationLayoutsAreEqual(_ reference: ReferenceModel) throws {
    let older = try TestFiles.withFolder([
      "config.json": Data(contentsOf: reference.directory.appending(path: "config.v4.json")),
      "generation_config.json": Data(
        contentsOf: reference.directory.appending(path: "generation_config.json")),
    ]) { try ModelConfiguration(directory: $0) }
    let newer = try ModelConfiguration(directory: reference.directory)
    #expect(older == newer)
  }
}

/// The ids of the largest logits, one after another; the lowest id wins a tie.
func greedy(
  _ runner: CausalRunner, _ cache: KeyValueCache, after prompt: [Token], count: Int
) -> [Token] {
  runner.read(prompt, into: cache, logits: .last)
  var ids: [Token] = []
  while true {
    let logits = UnsafeBufferPointer(
      start: runner.logits, count: runner.model.configuration.vocabularySize)
    var best = 0
    for id in logits.indices where logits[id] > logits[best] { best = id }
    ids.append(Token(best))
    if ids.count == count { return ids }
    withUnsafePointer(to: ids[ids.count - 1]) {
      runner.forward(UnsafeBufferPointer(start: $0, count: 1), cache: cache, logits: .last)
    }
  }
}
