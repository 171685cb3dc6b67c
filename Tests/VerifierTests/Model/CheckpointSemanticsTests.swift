import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

/// Settings that files and loaders disagree about: what counts, and what is said of it.
@Suite struct CheckpointSemanticsTests {
  /// The first row's logits of a folder, and what loading it said.
  private func load(_ folder: URL) throws -> (distance: Float, model: CausalModel) {
    let expected = try ReferenceModel(name: "llama").expected()
    let model = try CausalModel(directory: folder, weights: WeightFormatChoice(layers: .f32))
    let runner = CausalRunner(
      model: model, workers: Workers(count: 1), maximumRows: expected.inputIDs.count)
    let cache = try runner.makeCache(capacity: expected.inputIDs.count)
    expected.inputIDs.withUnsafeBufferPointer {
      runner.forward($0, cache: cache, logits: .all)
    }
    let vocabulary = model.configuration.vocabularySize
    let distances = zip(expected.logitRows, expected.logits).map { row, logits in
      ReferenceModel.distance(
        UnsafeBufferPointer(start: runner.logits + row * vocabulary, count: vocabulary),
        from: logits)
    }
    return (distances.max() ?? .infinity, model)
  }

  /// The llama fixture, whose head is its own, with a configuration that calls it tied.
  private func tiedFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let source = ReferenceModel(name: "llama").directory
    let text = try String(
      contentsOf: source.appending(path: "config.json"), encoding: .utf8)
    let tied = text.replacing(
      "\"tie_word_embeddings\": false", with: "\"tie_word_embeddings\": true")
    #expect(tied != text)
    try folder.write(tied.utf8, to: "config.json")
    try folder.write(
      Data(contentsOf: source.appending(path: "model.safetensors")), to: "model.safetensors")
    return folder
  }

  /// transformers 5 keeps a head that differs from the embedding, whatever the configuration says.
  @Test func aHeadThatDiffersIsNotTied() throws {
    let folder = try tiedFolder()
    let (distance, model) = try load(folder.url)
    #expect(distance < ReferenceTests.tolerance)
    #expect(!model.configuration.tiesEmbeddings)
    #expect(
      model.notices.map(\.description) == [
        "\(folder.url.path)/config.json: tie_word_embeddings: it is true, but lm_head.weight differs "
          + "from the embedding and is used; set it to false"
      ])
  }

  @Test func conversionKeepsAHeadThatDiffers() throws {
    let (folder, place) = (try tiedFolder(), try TemporaryFolder())
    for layers in [WeightFormat.f32, .int8] {
      let output = place.file(layers.rawValue)
      try ModelConverter(ModelOrigin(folder.url), formats: WeightFormats(layers: layers))
        .write(to: output, replaces: false, onPiece: { _ in })
      let distance = try load(output).distance
      #expect(distance < (layers == .f32 ? ReferenceTests.tolerance : 0.1), "\(layers)")
    }
  }

  /// A copy of the embedding beside it is no head of its own, and nothing is said.
  @Test func aCopyOfTheEmbeddingStaysTied() throws {
    let source = ReferenceModel(name: "qwen3")
    let checkpoint = try Checkpoint(directory: source.directory)
    let folder = try TemporaryFolder()
    try folder.write(
      Data(contentsOf: source.directory.appending(path: "config.json")), to: "config.json")
    var buffers: [FloatBuffer] = []
    var entries: [SafetensorsWriter.Entry] = []
    for name in checkpoint.names {
      let shape = try #require(checkpoint.shape(of: name))
      buffers.append(try checkpoint.floats(name, shape: shape))
      let values = buffers[buffers.count - 1].base
      let names = name == "model.embed_tokens.weight" ? [name, "lm_head.weight"] : [name]
      entries += names.map {
        SafetensorsWriter.Entry(name: $0, shape: shape, type: .f32, values: values)
      }
    }
    try SafetensorsWriter.write(entries, metadata: [:], to: folder.file("model.safetensors"))
    let model = try withExtendedLifetime(buffers) { try CausalModel(directory: folder.url) }
    #expect(model.configuration.tiesEmbeddings && model.notices.isEmpty)
  }

  @Test(
    arguments: [
      ("{}", nil), (#"{"temperature": 0.6, "top_k": 20}"#, nil),
      (#"{"do_sample": true}"#, "do_sample: sampling is"),
      (
        #"{"do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 1.0}"#,
        "do_sample, temperature, top_k: temperature 0.6, top_k 20 is"
      ),
      (
        #"{"do_sample": false, "temperature": 2, "repetition_penalty": 1.05}"#,
        "repetition_penalty: repetition_penalty 1.05 is"
      ),
    ] as [(String, String?)])
  func samplingThatIsProposedIsSaid(file: String, expected: String?) throws {
    let folder = try TemporaryFolder()
    let source = ReferenceModel(name: "llama").directory
    for name in ["config.json", "model.safetensors"] {
      try folder.write(Data(contentsOf: source.appending(path: name)), to: name)
    }
    try folder.write(file.utf8, to: "generation_config.json")
    let model = try CausalModel(directory: folder.url)
    #expect(
      model.samplingNotice?.description
        == expected.map {
          "\(folder.url.path)/generation_config.json: \($0) proposed and not applied; decoding is greedy "
            + "unless ‘temperature’ says otherwise"
        })
    #expect(model.notices == [model.samplingNotice].compactMap { $0 })
  }
}
