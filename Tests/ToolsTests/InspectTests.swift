import Drafter
import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

@Suite struct InspectTests {
  /// A folder with a small Qwen3 configuration and three tensors, one compressed file.
  private func folder() throws -> URL {
    let folder = try temporaryFolder()
    let configuration = ModelConfiguration(
      family: .qwen3, vocabularySize: 4096, hiddenSize: 64, intermediateSize: 96, layerCount: 2,
      headCount: 4, keyValueHeadCount: 2, headDimension: 16,
      ropeScaling: .linear(factor: 2), tiesEmbeddings: true, slidingWindow: 32,
      windowedLayers: [true, false], endTokens: [2, 3])
    try configuration.encoded().write(to: folder.appending(path: "config.json"))
    let values = [Float](repeating: 1, count: 4096 * 64)
    try values.withUnsafeBufferPointer { values in
      let start = try #require(values.baseAddress)
      try SafetensorsWriter.write(
        [
          .init(
            name: "model.embed_tokens.weight", shape: [4096, 64], type: .bf16, values: start),
          .init(name: "odd\nname", shape: [], type: .f32, values: start),
          .init(name: "ids", integers: [1, 2, 3]),
        ], metadata: ["format": "pt"], to: folder.appending(path: "model.safetensors.zst"))
    }
    try Data().write(to: folder.appending(path: "tokenizer.model"))
    return folder
  }

  private static let sum =
    "3 tensors, 262,148 parameters, 0.50 MiB (BF16 0.50 MiB, F32 0.00 MiB, I64 0.00 MiB)"
  private static let table = """
    tensor                     dtype  shape        MiB
    ids                        I64    [3]         0.00
    model.embed_tokens.weight  BF16   [4096, 64]  0.50
    "odd\\nname"                F32    []          0.00

    """

  @Test func aFolderIsShown() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let result = try speculate("inspect", folder.path, "--tensors")
    let problem =
      "\(folder.path): there is no tensor \"model.layers.0.input_layernorm.weight\" of shape [64]; "
      + "the checkpoint is incomplete or of another model"
    #expect(result.errors == "error: \(problem)\n")
    #expect(result.status == 1)
    #expect(
      result.output == """
        path            \(folder.path)
        model           qwen3 (Qwen3ForCausalLM)
        vocabulary      4,096
        context         2,048
        layers          2
        hidden          64
        intermediate    96
        heads           4 of 16, 2 for keys and values, q and k normed
        rope            theta 10000.0, linear, factor 2.0
        norm epsilon    1e-06
        biases          none
        head            tied to the embedding
        sliding window  32 in 1 of 2 layers
        special tokens  begin none, end 2, 3
        tokenizer       tokenizer.model
        runs            no: \(problem)
        weights         model.safetensors.zst
        metadata        "format": "pt"
        holds           \(Self.sum)

        \(Self.table)
        """)
  }

  @Test func aFileIsShown() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "model.safetensors.zst").path
    let result = try speculate("inspect", file, "--tensors")
    #expect(result.status == 0)
    #expect(
      result.output == """
        path      \(file)
        weights   model.safetensors.zst
        metadata  "format": "pt"
        holds     \(Self.sum)

        \(Self.table)
        """)
  }

  @Test func jsonSaysTheSame() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let result = try speculate("inspect", folder.path, "--json")
    #expect(result.status == 1)
    let report = try JSONValue(parsing: result.output)
    #expect(report["path"]?.text == folder.path)
    #expect(report["configuration"]?["model"]?.text == "qwen3 (Qwen3ForCausalLM)")
    // What is a number is one.
    for (name, value) in [
      ("vocabulary", 4096), ("context", 2048), ("layers", 2), ("hidden", 64), ("heads", 4),
      ("head dimension", 16), ("key value heads", 2), ("sliding window", 32),
      ("windowed layers", 1),
    ] { #expect(report["configuration"]?[name]?.integer == value, "\(name)") }
    #expect(report["configuration"]?["rope theta"]?.number == 10_000)
    #expect(report["configuration"]?["norm epsilon"]?.number == 1e-6)
    #expect(report["configuration"]?["end tokens"] == .array([.integer(2), .integer(3)]))
    #expect(report["tokenizer"]?.text == "tokenizer.model")
    #expect(report["files"] == .array([.string("model.safetensors.zst")]))
    #expect(report["metadata"] == .object(["format": .string("pt")]))
    #expect(report["parameters"]?.integer == 262_148)
    #expect(report["bytes"]?.integer == 524_316)
    #expect(
      report["bytes_by_type"]
        == .object(["BF16": .integer(524_288), "F32": .integer(4), "I64": .integer(24)]))
    #expect(
      report["tensors"]?.elements?.last
        == .object([
          "name": .string("odd\nname"), "dtype": .string("F32"), "shape": .array([]),
          "bytes": .integer(4),
        ]))
    #expect(report["configuration_problem"] == nil)
    #expect(report["runs"]?.bool == false)
    #expect(report["problem"]?.text?.contains("there is no tensor") == true)
  }

  @Test func aDrafterIsShown() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let shape = LayerShape(
      hidden: 64, heads: 4, keyValueHeads: 2, headDimension: 16, intermediate: 96,
      normEpsilon: 1e-6)
    let drafter = DrafterConfiguration(
      blockSize: 8, maskToken: 3, targetLayers: [1, 3], targetLayerCount: 6, vocabularySize: 4096,
      layerCount: 2, shape: shape, maximumContext: 512, draftVocabularySize: 100,
      heads: DrafterHeads(MarkovHeadConfiguration(rank: 8)))
    try drafter.encoded().write(to: folder.appending(path: "config.json"))
    let result = try speculate("inspect", folder.path)
    #expect(result.status == 1)
    #expect(result.errors.contains("there is no tensor \"fc.weight\" of shape [64, 128]"))
    #expect(
      result.output.contains("model             block-diffusion drafter (DFlashDraftModel)\n"))
    #expect(result.output.contains("block             8, mask token 3\n"))
    #expect(
      result.output.contains("target            6 layers, taps after 1, 3; vocabulary 4,096\n"))
    #expect(result.output.contains("draft vocabulary  100\n"))
    #expect(result.output.contains("Markov head       rank 8\n"))

    var seesTokens = drafter
    seesTokens.kind = .tokens
    for (isOwn, target) in [
      (false, "any of width 64, whose embedding it borrows; vocabulary 4,096"),
      (true, "any; vocabulary 4,096, with an embedding of the drafter's own"),
    ] {
      seesTokens.ownsEmbedding = isOwn
      try seesTokens.encoded().write(to: folder.appending(path: "config.json"))
      let output = try speculate("inspect", folder.path).output
      #expect(output.contains("model             block-diffusion drafter (DEERDraftModel)\n"))
      #expect(output.contains("target            \(target)\n"))
    }
  }

  /// Weights are shown even where the configuration is of a model that can't be run.
  @Test func aConfigurationThatCannotBeUsedIsSaidSo() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let config = folder.appending(path: "config.json")
    try Data("{\"model_type\": \"bert\"}".utf8).write(to: config)
    let report = try JSONValue(parsing: speculate("inspect", "--json", folder.path).output)
    let problem = try #require(report["configuration_problem"]?.text)
    #expect(
      problem.hasPrefix(
        "\(config.path): the model type \"bert\" is not supported; use one of llama, mistral, "))
    let result = try speculate("inspect", folder.path)
    #expect(result.status == 1)
    #expect(result.errors == "error: \(problem)\n")
    #expect(result.output.contains("configuration  not usable: \(problem)\n"))
    #expect(result.output.hasSuffix("holds          \(Self.sum)\n"))
  }

  @Test func aTargetWithoutATokenizerCannotBeUsed() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.removeItem(at: folder.appending(path: "tokenizer.model"))
    let result = try speculate("inspect", folder.path)
    #expect(result.status == 1)
    #expect(result.output.contains("tokenizer       none\n"))
    #expect(result.errors.hasPrefix("error: \(folder.path): there is no tokenizer; copy "))
    // GPT-2's two files are one as well.
    for name in ["vocab.json", "merges.txt"] {
      try Data().write(to: folder.appending(path: name))
    }
    let pair = try speculate("inspect", folder.path)
    #expect(pair.output.contains("tokenizer       vocab.json\n"))
    #expect(!pair.errors.contains("there is no tokenizer"))
  }

  /// What runs says what that takes, and which drafters are there.
  @Test func whatRuns() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let weights = ["SPECULATE_WEIGHTS": "/nowhere"]
    let result = try speculate("inspect", pair.target.path, "--threads", "1", environment: weights)
    #expect(result.status == 0 && result.errors == "", "\(result.errors)")
    #expect(
      result.output.contains(
        "tokenizer       tokenizer.model, 261 tokens, ends \"</s>\"\nruns            yes\n"))
    #expect(result.output.contains("of weights and 0.3 kB a position: "), "\(result.output)")
    #expect(result.output.contains("speed           up to "))
    #expect(result.output.contains("drafters        \(pair.drafter.path)\n"))
    let report = try JSONValue(
      parsing: speculate("inspect", "--json", pair.target.path, environment: weights).output)
    #expect(report["runs"]?.bool == true && report["problem"] == nil)
    #expect(report["tokens"]?.integer == 261)
    #expect(report["ends"] == .array([.string("</s>")]))
    #expect(report["drafters"] == .array([.string(pair.drafter.path)]))
    let prognosis = try #require(report["prognosis"])
    #expect(prognosis["cache_bytes_per_position"]?.integer == 256)
    let bytes = try #require(prognosis["bytes_per_token"]?.integer)
    // Two layers of 6,144 weights and a tied head in panels of sixteen rows.
    #expect(bytes == 4 * (2 * (32 + 16 + 16 + 32 + 3 * 48) * 32 + 272 * 32))
    let rate = try #require(prognosis["tokens_per_second"]?.number)
    let bandwidth = try #require(prognosis["bandwidth_gbs"]?.number)
    #expect(abs(rate * Double(bytes) / (1e9 * bandwidth) - 1) < 1e-6)
    let drafter = try speculate("inspect", pair.drafter.path)
    #expect(drafter.status == 0 && drafter.output.contains("runs              yes\n"))
    // For another target it doesn't fit.
    let other = try TinyPair(.init(hidden: 64))
    defer { other.remove() }
    try FileManager.default.removeItem(at: other.drafter)
    try FileManager.default.copyItem(at: pair.drafter, to: other.drafter)
    let none = try speculate("inspect", other.target.path, environment: weights)
    #expect(none.output.contains("drafters        none found\n"))
  }

  @Test func aGGUFFileOfAnotherArchitecture() throws {
    let file = TestFiles.package.appending(path: "Tests/Fixtures/gguf/small.gguf").path
    let result = try speculate("inspect", file)
    #expect(result.status == 1)
    #expect(
      result.errors.hasPrefix(
        "error: \(file): the architecture \"test\" is not supported in GGUF files; use one of "
          + "llama, qwen2, qwen3"))
    let report = try JSONValue(parsing: speculate("inspect", "--json", file).output)
    #expect(report["parameters"]?.integer == 1_605)
    #expect(report["bytes_by_type"]?["Q4_1"]?.integer == 320)
    #expect(report["metadata"]?["general.architecture"]?.text == "test")
  }

  @Test func mistakesAreOneLine() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let missing = try speculate("inspect", "/nowhere/at/all")
    #expect(missing.status == 1)
    #expect(
      missing.errors
        == "error: /nowhere/at/all: there is no such folder or file; check the path\n")
    let other = folder.appending(path: "tokenizer.model").path
    #expect(
      try speculate("inspect", other).errors
        == "error: \(other): this is no file of weights; give a folder, or a .safetensors, "
        + ".safetensors.zst or .gguf file\n")
    let file = folder.appending(path: "empty.safetensors").path
    try Data().write(to: URL(filePath: file))
    let empty = try speculate("inspect", file)
    #expect(empty.status == 1)
    #expect(
      empty.errors
        == "error: \(file): the file is empty; the file is damaged or incomplete: download or "
        + "convert it again\n")
    #expect(try speculate("inspect").status == 64)
  }
}
