import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

/// Models written as GGUF files: readers see the same model, and going back gives the same tensors.
@Suite struct GGUFConverterTests {
  static let written = [
    "llama", "llama-bias", "llama-f16", "llama-linear", "llama-odd", "llama-sharded", "qwen2",
    "qwen3", "qwen3-bf16",
  ]

  private static let ids: [(key: String, value: GGUFValue)] = [
    ("tokenizer.ggml.bos_token_id", .uint32(1)), ("tokenizer.ggml.eos_token_id", .uint32(2)),
  ]

  private func convert(
    _ source: URL, to file: URL, _ types: GGUFTypes
  ) throws {
    let origin = try ModelOrigin(source)
    let converter = try GGUFModelConverter(origin, types: types, name: "test", tokenizer: Self.ids)
    try converter.plan.write(
      to: GGUFDestination(file, replaces: false, apartFrom: origin.files)
    ) { _ in }
  }

  private func greedyIDs(_ url: URL, _ expected: ReferenceModel.Expected) throws -> [Token] {
    let model = try CausalModel(directory: url)
    let runner = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 24)
    let cache = try runner.makeCache(capacity: expected.inputIDs.count + expected.greedyIDs.count)
    return greedy(runner, cache, after: expected.inputIDs, count: expected.greedyIDs.count)
  }

  @Test(arguments: written) func greedyIDsAreThoseOfTheFolder(name: String) throws {
    let folder = try TemporaryFolder()
    let reference = ReferenceModel(name: name)
    let file = folder.file("model.gguf")
    try convert(reference.directory, to: file, GGUFTypes(layers: .f32))
    let expected = try reference.expected()
    #expect(try greedyIDs(file, expected) == expected.greedyIDs)
  }

  /// Of other families, a file computes to the bit what the folder does.
  @Test(arguments: [
    "ernie", "exaone4-whole", "granite", "olmo", "phi", "seed-oss", "smollm3", "stablelm",
    "stablelm-parallel", "starcoder2-nobias",
  ]) func logitsAreThoseOfTheFolder(name: String) throws {
    let folder = try TemporaryFolder()
    let reference = ReferenceModel(name: name)
    let file = folder.file("model.gguf")
    try convert(reference.directory, to: file, GGUFTypes(layers: .f32))
    let ids = try reference.expected().inputIDs
    let logits = try [reference.directory, file].map { url in
      try rows(
        CausalRunner(
          model: CausalModel(directory: url), workers: Workers(count: 1), maximumRows: 16), ids, 16)
    }
    #expect(logits[0] == logits[1])
  }

  /// To a file and back: every tensor to the byte.
  @Test(arguments: ["llama", "llama-bias", "qwen2", "qwen3", "qwen3-bf16"])
  func backToTheSameBytes(name: String) throws {
    let folder = try TemporaryFolder()
    let source = ReferenceModel(name: name).directory
    let file = folder.file("model.gguf")
    let isNarrow = name.hasSuffix("bf16")
    try convert(source, to: file, GGUFTypes(layers: isNarrow ? .bf16 : .f32))
    let back = folder.file("back")
    try ModelConverter(
      ModelOrigin(file), formats: WeightFormats(layers: isNarrow ? .bf16 : .f32)
    ).write(to: back, replaces: false) { _ in }
    let (before, after) = (try Checkpoint(directory: source), try Checkpoint(directory: back))
    #expect(before.names == after.names)
    for tensor in before.names {
      let same = try before.withBytes(of: tensor) { mine in
        try after.withBytes(of: tensor) { mine.elementsEqual($0) }
      }
      #expect(same && before.storedType(of: tensor) == after.storedType(of: tensor), "\(tensor)")
    }
    var (mine, theirs) = (
      try ModelConfiguration(directory: source), try ModelConfiguration(directory: back)
    )
    mine.elementType = nil
    theirs.elementType = nil
    #expect(mine == theirs)
  }

  /// From one type to another: rows stay in pairs, and what is stored so already keeps its bytes.
  @Test func fromFileToFile() throws {
    let folder = try TemporaryFolder()
    let source = ReferenceModel(name: "llama").directory
    try convert(source, to: folder.file("f32.gguf"), GGUFTypes(layers: .f32))
    try convert(source, to: folder.file("direct.gguf"), GGUFTypes(layers: .q80))
    try convert(folder.file("f32.gguf"), to: folder.file("later.gguf"), GGUFTypes(layers: .q80))
    try convert(folder.file("direct.gguf"), to: folder.file("same.gguf"), GGUFTypes(layers: .q80))
    let direct = try Data(contentsOf: folder.file("direct.gguf"))
    #expect(try direct == Data(contentsOf: folder.file("later.gguf")))
    #expect(try direct == Data(contentsOf: folder.file("same.gguf")))
    let again = try GGUFModelConverter(
      ModelOrigin(folder.file("direct.gguf")), types: GGUFTypes(layers: .q40), name: "x",
      tokenizer: Self.ids)
    #expect(
      again.plan.notes.contains {
        $0.hasSuffix("values that were rounded before; each rounding adds to the last")
      })
  }

  /// Rows that don't fill blocks are stored in the next type whose blocks they fill, and it is said.
  @Test func rowsThatDoNotFillBlocks() throws {
    let origin = try ModelOrigin(ReferenceModel(name: "llama").directory)
    let plan = try GGUFModelConverter(
      origin, types: GGUFTypes(layers: .q4K), name: "x", tokenizer: Self.ids
    ).plan
    // Most have 32 columns, the two of `down_proj` 40.
    let start = "matrices have rows that don't fill blocks of 256 columns, so they are stored in"
    #expect(
      plan.notes == ["2 \(start) F16, not Q4_K", "12 \(start) Q5_0, not Q4_K"], "\(plan.notes)")
    #expect(!plan.types.contains { $0.type == .q4K })
  }

  /// What a file can't say is refused by its name.
  @Test(arguments: [
    ("mistral", "sliding_window"), ("qwen2-window", "sliding_window"),
    ("starcoder2", "sliding_window"), ("helium", "layer 0"),
  ])
  func whatAFileCannotSay(name: String, setting: String) throws {
    let origin = try ModelOrigin(ReferenceModel(name: name).directory)
    let error = try #require(
      #expect(throws: SpeculateError.self) {
        _ = try GGUFModelConverter(
          origin, types: GGUFTypes(layers: .f32), name: "x", tokenizer: Self.ids)
      })
    #expect(error.description.contains("can't say this model's"), "\(error)")
    #expect(error.description.contains(setting), "\(error)")
  }

  /// Families whose tensors are fused, transposed, of experts or stored less 1 are refused by name.
  @Test(arguments: [
    "cohere", "gemma", "glm", "gpt-oss", "gpt2", "gptneox", "mixtral", "phi3", "qwen3-moe",
  ])
  func familiesThatAreNotWritten(name: String) throws {
    let origin = try ModelOrigin(ReferenceModel(name: name).directory)
    let error = try #require(
      #expect(throws: SpeculateError.self) {
        _ = try GGUFModelConverter(
          origin, types: GGUFTypes(layers: .f32), name: "x", tokenizer: Self.ids)
      })
    #expect(
      error.description.hasSuffix(
        "models of the family \(quoted(origin.configuration.family.name)) can't be written to GGUF files "
          + "yet; convert to a folder instead"))
  }

  /// The end tokens are among the model's settings.
  @Test func endTokensThatAreNotSaid() throws {
    let origin = try ModelOrigin(ReferenceModel(name: "llama").directory)
    let error = try #require(
      #expect(throws: SpeculateError.self) {
        _ = try GGUFModelConverter(
          origin, types: GGUFTypes(layers: .f32), name: "x",
          tokenizer: [("tokenizer.ggml.bos_token_id", .uint32(1))])
      })
    #expect(error.description.contains("can't say this model's eos_token_id"), "\(error)")
  }

  @Test func placesThatAreNotReplaced() throws {
    let folder = try TemporaryFolder()
    let source = ReferenceModel(name: "llama").directory
    let file = folder.file("model.gguf")
    try convert(source, to: file, GGUFTypes(layers: .f32))
    func problem(_ url: URL, replaces: Bool = true, apartFrom inputs: [URL] = []) throws -> String {
      try #require(
        #expect(throws: SpeculateError.self) {
          _ = try GGUFDestination(url, replaces: replaces, apartFrom: inputs)
        }
      ).description
    }
    #expect(
      try problem(file, replaces: false)
        == "\(file.path): exists already; give another file, or ‘force’ to replace it")
    #expect(try problem(file, apartFrom: [file]).contains("is the source"))
    let other = folder.file("notes.gguf")
    try Data("notes".utf8).write(to: other)
    #expect(
      try problem(other).hasSuffix(
        "exists and is no GGUF file, so it is not replaced; give another file"))
    #expect(
      try problem(folder.file("model.bin")).hasSuffix(
        "the name of a GGUF file must end in .gguf; give another destination"))
    try convertAgain(source, over: file)
  }

  private func convertAgain(_ source: URL, over file: URL) throws {
    let origin = try ModelOrigin(source)
    let plan = try GGUFModelConverter(
      origin, types: GGUFTypes(layers: .q80), name: "test",
      tokenizer: Self.ids
    ).plan
    try plan.write(to: GGUFDestination(file, replaces: true, apartFrom: origin.files)) { _ in }
    #expect(try CausalModel.storedFormats(directory: file).layers == .int8)
  }
}
