import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

/// Settings of families with experts, and the layouts in which files hold them.
@Suite struct ExpertFamilyTests {
  static let names = [
    "mixtral", "qwen2-moe", "qwen3-moe", "olmoe", "olmoe-normalized", "granite-moe", "gpt-oss",
    "gpt-oss-mxfp4",
  ]

  /// Reads a fixture's configuration with some members changed; nil removes one.
  private func configuration(
    _ name: String, _ changes: [String: JSONValue?] = [:]
  ) throws -> ModelConfiguration {
    let file = try ConfigurationFile(
      url: ReferenceModel(name: name).directory.appending(path: "config.json"))
    var members = file.members
    for (key, value) in changes { members[key] = value }
    return try TestFiles.withFolder(["config.json": JSONValue.object(members).encoded()]) {
      try ModelConfiguration(directory: $0)
    }
  }

  private func problem(_ name: String, _ changes: [String: JSONValue?]) -> String {
    do {
      _ = try configuration(name, changes)
      return "nothing is wrong"
    } catch {
      return "\(error)".components(separatedBy: "config.json: ").last ?? ""
    }
  }

  private func layersWithExperts(_ configuration: ModelConfiguration) -> [Int] {
    (0..<configuration.layerCount).filter {
      configuration.design(ofLayer: $0).feedForward.kind.hasExperts
    }
  }

  /// As transformers 5, gpt-oss is stretched where nothing is said.
  @Test func filesWithoutRotarySettings() throws {
    var yarn = YarnScaling(factor: 32, originalContext: 4096)
    yarn.truncates = false
    let without = try configuration("gpt-oss", ["rope_parameters": nil, "rope_scaling": nil])
    #expect(without.ropeScaling == .yarn(yarn) && without.ropeTheta == 150_000)
    let plain = try configuration(
      "gpt-oss", ["rope_parameters": .object(["rope_type": .string("default")])])
    #expect(plain.ropeScaling == .none)
  }

  @Test func layersWithAndWithoutExperts() throws {
    #expect(layersWithExperts(try configuration("mixtral")) == [0, 1])
    #expect(layersWithExperts(try configuration("qwen2-moe")) == [0, 2])
    #expect(layersWithExperts(try configuration("qwen3-moe")) == [1, 3])
    let every: [String: JSONValue?] = ["decoder_sparse_step": nil, "mlp_only_layers": .null]
    #expect(layersWithExperts(try configuration("qwen3-moe", every)) == [0, 1, 2, 3])
    let both: [String: JSONValue?] = [
      "decoder_sparse_step": .integer(2), "mlp_only_layers": .array([.integer(3), .integer(9)]),
    ]
    #expect(layersWithExperts(try configuration("qwen3-moe", both)) == [1])
  }

  @Test func expertsAreAsTheFileSays() throws {
    let mixtral = try #require(try configuration("mixtral").experts)
    #expect(mixtral.options.count == 5 && mixtral.options.chosen == 2)
    #expect(mixtral.options.weighting == .ofAllNormalized && mixtral.options.shared == nil)
    let qwen = try #require(try configuration("qwen2-moe").experts)
    #expect(qwen.options.intermediate == 20 && qwen.options.weighting == .ofAll)
    #expect(qwen.options.shared == SharedExpertOptions(intermediate: 28, isGated: true))
    #expect(
      try configuration("qwen2-moe", ["norm_topk_prob": .bool(true)]).experts?.options.weighting
        == .ofAllNormalized)
    let oss = try #require(try configuration("gpt-oss").experts)
    #expect(oss.clamp == GateClamp(alpha: 1.702, limit: 1.5) && oss.options.routerBias)
    #expect(
      try configuration("gpt-oss", ["swiglu_limit": nil]).experts?.clamp
        == GateClamp(alpha: 1.702, limit: 7))
  }

  /// Published files and those of transformers 5 spell the number of experts differently.
  @Test func theNumberOfExpertsHasTwoNames() throws {
    let own: [String: JSONValue?] = ["num_local_experts": nil, "num_experts": .integer(8)]
    #expect(try configuration("qwen3-moe", own) == configuration("qwen3-moe"))
    #expect(
      problem("qwen3-moe", ["num_experts": .integer(9)])
        == "num_local_experts and num_experts name the same setting, but differ; remove one")
  }

  @Test func windowsOfQwen() throws {
    let used: [String: JSONValue?] = [
      "use_sliding_window": .bool(true), "sliding_window": .integer(8),
    ]
    let qwen3 = try configuration("qwen3-moe", used)
    #expect((0..<4).allSatisfy(qwen3.usesWindow))
    #expect(try configuration("qwen3-moe", ["sliding_window": .integer(8)]).slidingWindow == nil)
    let listed = used.merging(["layer_types": nil, "max_window_layers": .integer(3)]) { $1 }
    let qwen2 = try configuration("qwen2-moe", listed)
    #expect((0..<3).map(qwen2.usesWindow) == [true, false, true])
    let fewer = used.merging(["layer_types": nil, "max_window_layers": .integer(2)]) { $1 }
    let first = try configuration("qwen2-moe", fewer)
    #expect((0..<3).map(first.usesWindow) == [true, false, false])
  }

  @Test func whatIsRefused() {
    #expect(
      problem("mixtral", ["num_local_experts": nil])
        == "num_local_experts is missing; add it or download the file again")
    #expect(
      problem("qwen2-moe", ["num_experts": .integer(0)])
        == "num_experts is 0, but must be from 1 to 1024")
    #expect(
      problem("mixtral", ["num_experts_per_tok": .integer(6)])
        == "num_experts_per_tok is 6, but must be from 1 to 5")
    #expect(
      problem("mixtral", ["num_experts_per_tok": .integer(0)])
        == "num_experts_per_tok is 0, but must be from 1 to 5")
    #expect(
      problem("qwen3-moe", ["moe_intermediate_size": .integer(1 << 62)])
        == "moe_intermediate_size is \(1 << 62), but must be from 1 to 1048576")
    #expect(
      problem("qwen2-moe", ["shared_expert_intermediate_size": .integer(0)])
        == "shared_expert_intermediate_size is 0, but must be from 1 to 1048576")
    #expect(
      problem("qwen3-moe", ["decoder_sparse_step": .integer(0)])
        == "decoder_sparse_step is 0, but must be above 0")
    #expect(
      problem("gpt-oss", ["swiglu_limit": .number(-1)])
        == "swiglu_limit is -1.0, but must be from 0.001 to 1000000.0")
    #expect(
      problem("mixtral", ["clip_qkv": .number(8)])
        == "clipped projections (clip_qkv) is not supported; use a checkpoint without it")
    for name in ["mixtral", "qwen3", "gpt-oss"] {
      #expect(
        problem(name, ["quantization_config": .object(["quant_method": .string("fp8")])])
          == "quantised weights (quantization_config) is not supported; use a checkpoint without it"
      )
    }
    #expect(
      problem("qwen3", ["num_experts": .integer(8)])
        == "a mixture of experts (num_experts) is not supported; use a checkpoint without it")
    let deepSeek: [String: JSONValue?] = [
      "architectures": .array([.string("DeepseekV2ForCausalLM")]), "model_type": nil,
    ]
    #expect(
      problem("mixtral", deepSeek).hasPrefix(
        "the architecture \"DeepseekV2ForCausalLM\" is not supported; use one of "))
  }

  /// What is written is what was read.
  @Test(arguments: names) func writtenConfigurationsAreReadAgain(name: String) throws {
    let model = try configuration(name)
    let again = try TestFiles.withFolder(["config.json": model.encoded()]) {
      try ModelConfiguration(directory: $0)
    }
    #expect(again == model)
  }

  private func logits(_ model: CausalModel, _ name: String) throws -> [[UInt32]] {
    let runner = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 24)
    return try rows(runner, ReferenceModel(name: name).expected().inputIDs, 24)
  }

  /// Experts that transformers saved in one tensor a layer are the same ones.
  @Test(arguments: ["qwen2-moe", "qwen3-moe", "olmoe"]) func fusedExpertsAreTakenApart(name: String)
    throws
  {
    let reference = ReferenceModel(name: name)
    let configuration = try ModelConfiguration(directory: reference.directory)
    let checkpoint = try Checkpoint(directory: reference.directory)
    var values: [String: (shape: [Int], values: [Float])] = [:]
    for layer in 0..<configuration.layerCount {
      for (_, tensor) in configuration.layout(ofLayer: layer).tensors where tensor.part != nil {
        let expert = try checkpoint.floats(tensor.name, shape: tensor.shape)
        let whole = tensor.part?.shape ?? []
        var fused =
          values[tensor.storedName] ?? (whole, .init(repeating: 0, count: whole.reduce(1, *)))
        for row in 0..<tensor.shape[0] {
          for column in 0..<tensor.shape[1] {
            fused.values[tensor.order.place(of: row) * tensor.shape[1] + column] =
              expert.base[row * tensor.shape[1] + column]
          }
        }
        values[tensor.storedName] = fused
      }
    }
    #expect(!values.isEmpty)
    for name in checkpoint.names where !name.contains(".experts.") {
      let shape = try #require(checkpoint.shape(of: name))
      let buffer = try checkpoint.floats(name, shape: shape)
      values[name] = (shape, (0..<buffer.count).map { buffer.base[$0] })
    }
    let folder = try TemporaryFolder()
    let buffers = values.mapValues { value in
      let buffer = FloatBuffer(count: value.values.count)
      for (index, number) in value.values.enumerated() { buffer.base[index] = number }
      return buffer
    }
    let entries = values.keys.sorted().compactMap { name in
      buffers[name].map {
        SafetensorsWriter.Entry(
          name: name, shape: values[name]?.shape ?? [], type: .f32, values: $0.base)
      }
    }
    try withExtendedLifetime(buffers) {
      try SafetensorsWriter.write(entries, metadata: [:], to: folder.file("model.safetensors"))
    }
    try folder.write(
      Data(contentsOf: reference.directory.appending(path: "config.json")), to: "config.json")
    #expect(
      try logits(try CausalModel(directory: folder.url), name)
        == logits(try CausalModel(directory: reference.directory), name))
  }

  /// Blocks are computed with as they are stored, or as what they are widened to.
  @Test func publishedBlocksAreKept() throws {
    let directory = ReferenceModel(name: "gpt-oss-mxfp4").directory
    let kept = try CausalModel(directory: directory)
    // Two layers of four experts, each three matrices of 64 · 32 values, with 17 bytes for 32 in files.
    let blocks = kept.matrices.filter { $0.format.rawValue == "mxfp4" }
    #expect(blocks.count == 24 && blocks.allSatisfy { (64 * 17...64 * 20).contains($0.byteCount) })
    let floats = try CausalModel(directory: directory, weights: WeightFormatChoice(layers: .f32))
    #expect(floats.matrices.allSatisfy { $0.format != blocks[0].format })
    let exact = try CausalModel(
      directory: directory, weights: WeightFormatChoice(floatActivations: true))
    let widened = try CausalModel(
      directory: directory, weights: WeightFormatChoice(layers: .f32, head: .f32, embedding: .f32))
    #expect(try logits(exact, "gpt-oss-mxfp4") == logits(widened, "gpt-oss-mxfp4"))
  }

  /// A pass over one row reads as many bytes as all matrices but unused experts have.
  @Test func bytesOfAPass() throws {
    let model = try CausalModel(directory: ReferenceModel(name: "mixtral").directory)
    let all = model.matrices.reduce(0) { $0 + $1.byteCount }
    let expert = 2 * 3 * 32 * 32 * 4  // of both layers; 20 rows fill 32
    let small = expert - 2 * 32 * (32 - 20) * 4  // the last matrix has 20 columns
    #expect(model.bytesPerToken == all - 3 * small)
    #expect(model.bytesRead(rows: 1000) == all)
  }
}
