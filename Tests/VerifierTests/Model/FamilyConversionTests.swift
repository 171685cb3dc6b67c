import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

/// Folders that `ModelConverter` writes of models whose tensors are fused or transposed.
@Suite struct FamilyConversionTests {
  static let names = [
    "gpt2", "gpt2-relu", "gptneox", "phi", "phi3", "cohere", "olmo", "starcoder2", "mixtral",
    "qwen2-moe", "qwen3-moe", "olmoe", "granite-moe", "gpt-oss", "gpt-oss-mxfp4",
  ]

  private func logits(_ model: CausalModel, _ reference: ReferenceModel) throws -> [[UInt32]] {
    let runner = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 24)
    return try rows(runner, reference.expected().inputIDs, 24)
  }

  /// A converted model computes to the bit what the original does when it is rounded as it is loaded.
  @Test(arguments: names, [WeightFormat.int8, .int4, .bf16, .f32])
  func convertedIsRounded(name: String, format: WeightFormat) throws {
    let reference = ReferenceModel(name: name)
    let folder = try TemporaryFolder()
    let place = folder.file("converted")
    let formats = WeightFormats(layers: format)
    try ModelConverter(ModelOrigin(reference.directory), formats: formats).write(
      to: place, replaces: false
    ) { _ in }
    let converted = try CausalModel(directory: place)
    #expect(converted.formats == formats)
    let rounded = try CausalModel(
      directory: reference.directory,
      weights: WeightFormatChoice(
        layers: formats.layers, head: formats.head, embedding: formats.embedding))
    #expect(try logits(converted, reference) == logits(rounded, reference))
  }

  /// GPT-2 as it was published: names without their prefix, and masks among the tensors.
  @Test func namesWithoutTheirPrefix() throws {
    let reference = ReferenceModel(name: "gpt2")
    let folder = try TemporaryFolder()
    let checkpoint = try Checkpoint(directory: reference.directory)
    var buffers: [FloatBuffer] = []
    var entries = try checkpoint.names.map { name in
      let shape = try #require(checkpoint.shape(of: name))
      buffers.append(try checkpoint.floats(name, shape: shape))
      return SafetensorsWriter.Entry(
        name: name.replacing("transformer.", with: ""), shape: shape, type: .f32,
        values: buffers[buffers.count - 1].base)
    }
    buffers.append(FloatBuffer(count: 16))
    entries.append(
      .init(
        name: "h.0.attn.bias", shape: [1, 1, 4, 4], type: .f32,
        values: buffers[buffers.count - 1].base))
    try SafetensorsWriter.write(entries, metadata: [:], to: folder.file("model.safetensors"))
    try folder.write(
      Data(contentsOf: reference.directory.appending(path: "config.json")), to: "config.json")
    let expected = try logits(try CausalModel(directory: reference.directory), reference)
    #expect(try logits(try CausalModel(directory: folder.url), reference) == expected)
    // Converted, it has the prefix.
    let other = try TemporaryFolder()
    let place = other.file("converted")
    try ModelConverter(ModelOrigin(folder.url), formats: WeightFormats(layers: .f32)).write(
      to: place, replaces: false
    ) { _ in }
    #expect(try logits(try CausalModel(directory: place), reference) == expected)
  }
}
