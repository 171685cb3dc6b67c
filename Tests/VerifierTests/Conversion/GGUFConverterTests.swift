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

  /// Models that a file can't say, and the setting that it can't.
  static let refused = [
    "mistral": "sliding_window", "qwen2-window": "sliding_window", "helium": "layer 0",
    "gpt-oss": "swiglu_limit", "gemma2": "query_pre_attn_scalar", "llama-dynamic": "rope_scaling",
    "gpt2-relu": "activation_function", "smollm3-listed": "no_rope_layers",
    "gemma3-images": "query_pre_attn_scalar", "gptneox-sequential": "hidden_act",
    "llama-yarn-own": "rope_scaling", "llama-llama3": "eos_token_id",
    "granite4": "embedding scale",
  ]
  /// Models whose numbers a file holds rounded to f32, so that logits differ in their last bits.
  private static let rounded = ["llama-yarn"]

  /// Of every family, a file computes to the bit what the folder does.
  @Test(arguments: ReferenceModel.names.filter { refused[$0] == nil })
  func logitsAreThoseOfTheFolder(name: String) throws {
    let folder = try TemporaryFolder()
    let reference = ReferenceModel(name: name)
    let file = folder.file("model.gguf")
    try convert(reference.directory, to: file, GGUFTypes(layers: .f32))
    let ids = try reference.expected().inputIDs
    let logits = try [reference.directory, file].map { url in
      try rows(
        CausalRunner(
          model: CausalModel(directory: url, weights: WeightFormatChoice(layers: .f32)),
          workers: Workers(count: 1), maximumRows: 16), ids, 16)
    }
    guard Self.rounded.contains(name) else {
      #expect(logits[0] == logits[1])
      return
    }
    for (mine, theirs) in zip(logits[0].joined(), logits[1].joined()) {
      let (one, two) = (Float(bitPattern: mine), Float(bitPattern: theirs))
      #expect(abs(one - two) < 1e-4 * max(1, abs(one)))
    }
  }

  /// The tensors are those that llama.cpp's own package makes of the same folder.
  @Test(arguments: GGUFFamilyTests.names)
  func tensorsAreThoseOfTheTwin(name: String) throws {
    let folder = try TemporaryFolder()
    let file = folder.file("model.gguf")
    let isMXFP4 = name.hasSuffix("mxfp4")
    try convert(
      ReferenceModel(name: name).directory, to: file, GGUFTypes(layers: isMXFP4 ? .mxfp4 : .f32))
    let (mine, twin) = (
      try GGUFFile(url: file),
      try GGUFFile(url: GGUFFamilyTests.folder.appending(path: "\(name).gguf"))
    )
    #expect(mine.names == twin.names)
    #expect(mine.metadata["general.architecture"] == twin.metadata["general.architecture"])
    for tensor in twin.names {
      let (one, two) = (mine.tensor(tensor), twin.tensor(tensor))
      #expect(one?.shape == two?.shape, "\(tensor)")
      guard one?.type == two?.type else {
        #expect(isMXFP4, "\(tensor) is \(one?.type.name ?? ""), not \(two?.type.name ?? "")")
        continue
      }
      let same = try mine.withBytes(of: tensor) { bytes in
        try twin.withBytes(of: tensor) { bytes.elementsEqual($0) }
      }
      #expect(same, "\(tensor)")
    }
    // What says how the model computes is read alike.
    let prefix = (twin.metadata["general.architecture"]?.text ?? "") + "."
    for (key, value) in twin.metadata where key.hasPrefix(prefix) {
      guard let own = mine.metadata[key] else { continue }
      if let one = own.number, let two = value.number {
        #expect(abs(one - two) <= 1e-6 * abs(two), "\(key)")
      } else {
        #expect(own.text == value.text, "\(key)")
      }
    }
  }

  /// From file to file, fused tensors, experts and norms stay what they are.
  @Test(arguments: ["phi3", "gemma", "mixtral", "gpt-oss-mxfp4", "gptneox", "qwen2-moe"])
  func fromFileToFileOfEveryKind(name: String) throws {
    let folder = try TemporaryFolder()
    let twin = GGUFFamilyTests.folder.appending(path: "\(name).gguf")
    let type: GGUFTensorType = name.hasSuffix("mxfp4") ? .mxfp4 : .f32
    try convert(twin, to: folder.file("again.gguf"), GGUFTypes(layers: type, head: .f32))
    let (mine, theirs) = (
      try GGUFFile(url: folder.file("again.gguf")), try GGUFFile(url: twin)
    )
    #expect(mine.names == theirs.names)
    for tensor in theirs.names where mine.tensor(tensor)?.type == theirs.tensor(tensor)?.type {
      let same = try mine.withBytes(of: tensor) { bytes in
        try theirs.withBytes(of: tensor) { bytes.elementsEqual($0) }
      }
      #expect(same, "\(tensor)")
    }
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
  @Test(arguments: refused.sorted { $0.key < $1.key })
  func whatAFileCannotSay(name: String, setting: String) throws {
    let origin = try ModelOrigin(ReferenceModel(name: name).directory)
    let error = try #require(
      #expect(throws: SpeculateError.self) {
        _ = try GGUFModelConverter(
          origin, types: GGUFTypes(layers: .f32), name: "x", tokenizer: Self.ids)
      })
    #expect(error.description.contains("can't say this model's \(setting)"), "\(error)")
  }

  /// A folder made of a file computes to the bit what the file does, whatever its family holds in one tensor.
  @Test(arguments: GGUFFamilyTests.names) func foldersOfEveryFamily(name: String) throws {
    let folder = try TemporaryFolder()
    let file = GGUFFamilyTests.folder.appending(path: "\(name).gguf")
    let back = folder.file("back")
    try ModelConverter(ModelOrigin(file), formats: WeightFormats(layers: .f32))
      .write(to: back, replaces: false) { _ in }
    let expected = try ReferenceModel(name: name).expected()
    let text = expected.inputIDs + expected.greedyIDs.prefix(20)
    let logits = try [file, back].map { url in
      try rows(
        CausalRunner(
          model: CausalModel(directory: url, weights: WeightFormatChoice(layers: .f32)),
          workers: Workers(count: 1), maximumRows: 16), text, 16)
    }
    #expect(logits[0] == logits[1])
    // Apart from experts, the names are those that the family's makers gave.
    let source = try Checkpoint(directory: ReferenceModel(name: name).directory).names
    func others(_ names: [String]) -> Set<String> {
      Set(names.filter { !$0.contains("experts") && !$0.contains("put_linear") })
    }
    let computed = ModelFamily.gptNeoX.tensors.computed + [".attn.bias", ".attn.masked_bias"]
    let own = source.filter { name in !computed.contains { name.hasSuffix($0) } }
    #expect(try others(Checkpoint(directory: back).names) == others(own))
  }

  /// Integers of a fused matrix are those of its rows, also where floats are stored [in, out].
  @Test(arguments: ["gpt2", "phi3"]) func integersOfFusedMatrices(name: String) throws {
    let folder = try TemporaryFolder()
    let file = GGUFFamilyTests.folder.appending(path: "\(name).gguf")
    let ids = try ReferenceModel(name: name).expected().inputIDs
    let origins = [try ModelOrigin(file), try ModelOrigin(ReferenceModel(name: name).directory)]
    let logits = try origins.enumerated().map { index, origin in
      let back = folder.file("back\(index)")
      try ModelConverter(origin, formats: WeightFormats(layers: .int8))
        .write(to: back, replaces: false) { _ in }
      return try rows(
        CausalRunner(
          model: CausalModel(directory: back), workers: Workers(count: 1), maximumRows: 16), ids,
        16)
    }
    #expect(logits[0] == logits[1])
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
