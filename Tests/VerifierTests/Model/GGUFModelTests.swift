import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

/// Models in GGUF files: the fixtures of other implementations, written as llama.cpp's converter would.
@Suite struct GGUFModelTests {
  static let names = ["llama", "llama-bias", "llama-llama3", "llama-linear", "qwen2", "qwen3"]

  /// A name of Hugging Face's as GGUF files have it.
  private static func name(_ name: String) -> String {
    var result = name
    for (old, new) in [
      ("model.embed_tokens", "token_embd"), ("lm_head", "output"), ("model.norm", "output_norm"),
      ("model.layers.", "blk."), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"),
      ("self_attn.v_proj", "attn_v"), ("self_attn.o_proj", "attn_output"),
      ("self_attn.q_norm", "attn_q_norm"), ("self_attn.k_norm", "attn_k_norm"),
      ("post_attention_layernorm", "ffn_norm"), ("input_layernorm", "attn_norm"),
      ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"),
    ] { result = result.replacingOccurrences(of: old, with: new) }
    return result
  }

  /// Rows of heads as converters permute them: `[2][d/2]` becomes `[d/2][2]`.
  private static func paired(_ values: [Float], width: Int, head: Int) -> [Float] {
    let rows = (0..<values.count / width).map { Array(values[$0 * width..<($0 + 1) * width]) }
    var result: [Float] = []
    for start in stride(from: 0, to: rows.count, by: head) {
      for pair in 0..<head / 2 {
        result += rows[start + pair] + rows[start + head / 2 + pair]
      }
    }
    return result
  }

  /// Writes a fixture as a GGUF file.
  private func write(
    _ reference: ReferenceModel, to url: URL, _ more: [(key: String, value: GGUFValue)] = [],
    divisors extra: [Float]? = nil
  ) throws {
    let configuration = try ModelConfiguration(directory: reference.directory)
    let architecture = String(reference.name.prefix { $0 != "-" })
    let checkpoint = try Checkpoint(directory: reference.directory)
    var entries: [GGUFWriter.Entry] = []
    for name in checkpoint.names {
      let shape = try #require(checkpoint.shape(of: name))
      let buffer = try checkpoint.floats(name, shape: shape)
      var values = (0..<buffer.count).map { buffer.base[$0] }
      if architecture == "llama", name.contains("q_proj") || name.contains("k_proj") {
        values = Self.paired(
          values, width: shape.count == 2 ? shape[1] : 1,
          head: configuration.headDimension)
      }
      let stored = values
      entries.append(
        .init(name: Self.name(name), type: .f32, shape: shape) {
          try stored.withUnsafeBytes($0)
        })
    }
    let a = architecture
    var metadata: [(key: String, value: GGUFValue)] = [
      ("general.architecture", .string(a)),
      ("\(a).context_length", .uint32(UInt32(configuration.maximumContext))),
      ("\(a).embedding_length", .uint32(UInt32(configuration.hiddenSize))),
      ("\(a).block_count", .uint32(UInt32(configuration.layerCount))),
      ("\(a).feed_forward_length", .uint32(UInt32(configuration.intermediateSize))),
      ("\(a).attention.head_count", .uint32(UInt32(configuration.headCount))),
      ("\(a).attention.head_count_kv", .uint32(UInt32(configuration.keyValueHeadCount))),
      ("\(a).attention.key_length", .uint32(UInt32(configuration.headDimension))),
      ("\(a).attention.value_length", .uint32(UInt32(configuration.headDimension))),
      ("\(a).attention.layer_norm_rms_epsilon", .float32(configuration.normEpsilon)),
      ("\(a).rope.freq_base", .float32(Float(configuration.ropeTheta))),
      ("tokenizer.ggml.bos_token_id", .uint32(1)), ("tokenizer.ggml.eos_token_id", .uint32(2)),
    ]
    if let extra {
      entries.append(
        .init(name: "rope_freqs.weight", type: .f32, shape: [extra.count]) {
          try extra.withUnsafeBytes($0)
        })
    }
    switch configuration.ropeScaling {
    case .none: break
    case .linear(let factor):
      metadata.append(("\(a).rope.scaling.type", .string("linear")))
      metadata.append(("\(a).rope.scaling.factor", .float32(Float(factor))))
    case .llama3:
      let plain = RopeScaling.none.frequencies(
        dimension: configuration.headDimension, theta: configuration.ropeTheta)
      let scaled = configuration.ropeScaling.frequencies(
        dimension: configuration.headDimension, theta: configuration.ropeTheta)
      let divisors = zip(plain, scaled).map { Float($0 / $1) }
      entries.append(
        .init(name: "rope_freqs.weight", type: .f32, shape: [divisors.count]) {
          try divisors.withUnsafeBytes($0)
        })
    case .dynamic, .yarn, .longrope: throw SpeculateError("no such file is written here")
    }
    metadata = metadata.filter { entry in !more.contains { $0.key == entry.key } } + more
    try GGUFWriter.write(metadata: metadata, entries, to: url)
  }

  @Test(arguments: names) func greedyIDsAreThoseOfTheFolder(name: String) throws {
    let reference = ReferenceModel(name: name)
    let folder = try TemporaryFolder()
    let url = folder.file("model.gguf")
    try write(reference, to: url)
    let model = try CausalModel(directory: url)
    #expect(model.formats == WeightFormats(layers: .f32))
    let expected = try reference.expected()
    let runner = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 24)
    let cache = try runner.makeCache(
      capacity: expected.inputIDs.count + expected.greedyIDs.count)
    #expect(
      greedy(runner, cache, after: expected.inputIDs, count: expected.greedyIDs.count)
        == expected.greedyIDs)
    #expect(model.configuration.endTokens.first == 2 && model.configuration.beginToken == 1)
  }

  /// The divisors of a file say which of Llama 3's factors stretches the frequencies.
  @Test(arguments: [8.0, 32]) func llama3Divisors(factor: Double) throws {
    let folder = try TemporaryFolder()
    let url = folder.file("model.gguf")
    let scaling = RopeScaling.llama3(
      factor: factor, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192)
    let plain = RopeScaling.none.frequencies(dimension: 8, theta: 500_000)
    let divisors = zip(plain, scaling.frequencies(dimension: 8, theta: 500_000)).map {
      Float($0 / $1)
    }
    #expect(divisors.contains { $0 > 1 && Double($0) < factor })
    try write(
      ReferenceModel(name: "llama"), to: url, [("llama.rope.freq_base", .float32(500_000))],
      divisors: divisors)
    #expect(try CausalModel(directory: url).configuration.ropeScaling == scaling)
  }

  /// Divisors that no formula gives are taken as they are, and written as they are.
  @Test func divisorsOfTheirOwn() throws {
    let folder = try TemporaryFolder()
    let url = folder.file("model.gguf")
    let divisors: [Float] = [1, 1.75, 3.5, 6]
    try write(ReferenceModel(name: "llama"), to: url, divisors: divisors)
    let configuration = try CausalModel(directory: url).configuration
    let own = zip(
      RopeScaling.none.frequencies(dimension: 8, theta: configuration.ropeTheta),
      configuration.ropeScaling.frequencies(dimension: 8, theta: configuration.ropeTheta))
    #expect(own.map { Float($0 / $1) } == divisors)
    #expect(configuration.ropeScaling.magnitude == 1 && configuration.ropeScaling.limit == nil)

    let copy = folder.file("copy.gguf")
    let plan = try GGUFModelConverter(
      ModelOrigin(url), types: GGUFTypes(layers: .f32), name: "copy",
      tokenizer: [
        ("tokenizer.ggml.bos_token_id", .uint32(1)), ("tokenizer.ggml.eos_token_id", .uint32(2)),
      ]
    ).plan
    try plan.write(to: GGUFDestination(copy, replaces: false, apartFrom: [url])) { _ in }
    #expect(
      try CausalModel(directory: copy).configuration.ropeScaling == configuration.ropeScaling)
    let bytes = try GGUFFile(url: copy).withBytes(of: "rope_freqs.weight") { Array($0) }
    #expect(bytes == divisors.withUnsafeBytes { Array($0) })

    for wrong: Float in [0, -1, .nan, .infinity] {
      try write(ReferenceModel(name: "llama"), to: url, divisors: [1, 1, 1, wrong])
      let error = #expect(throws: SpeculateError.self) { _ = try CausalModel(directory: url) }
      #expect(
        error?.description
          == "\(url.path): tensor \"rope_freqs.weight\" holds \(Double(wrong)), but divisors must be "
          + "from 1e-06 to 1000000.0")
    }
  }

  @Test func tokensThatEndTexts() throws {
    let folder = try TemporaryFolder()
    let url = folder.file("model.gguf")
    let names = ["<|endoftext|>", "a", "b", "<|im_end|>", "</s>"]
    try write(
      ReferenceModel(name: "llama"), to: url,
      [
        ("tokenizer.ggml.tokens", .array(GGUFArray(strings: names))),
        (
          "tokenizer.ggml.token_type",
          .array(GGUFArray([3, 1, 1, 3, 1].map { .int32($0) }, of: .int32))
        ),
        ("tokenizer.ggml.eot_token_id", .uint32(3)),
      ])
    #expect(try CausalModel(directory: url).configuration.endTokens == [2, 3, 0])
  }

  @Test func whatIsNotSupportedIsNamed() throws {
    let folder = try TemporaryFolder()
    let url = folder.file("model.gguf")
    func problem(_ more: [(key: String, value: GGUFValue)]) throws -> String {
      try write(ReferenceModel(name: "llama"), to: url, more)
      let error = try #require(
        #expect(throws: SpeculateError.self) { _ = try CausalModel(directory: url) })
      return String(error.description.dropFirst("\(url.path): ".count))
    }
    #expect(
      try problem([("general.architecture", .string("mamba"))]).hasPrefix(
        "the architecture \"mamba\" is not supported in GGUF files; use one of llama, qwen2, qwen3")
    )
    #expect(
      try problem([("llama.logit_scale", .float32(2))])
        == "the metadata key \"llama.logit_scale\" is not supported: the model computes something "
        + "else")
    #expect(
      try problem([("llama.expert_count", .uint32(8))])
        == "the metadata key \"llama.expert_used_count\" is missing; convert the model again")
    #expect(
      try problem([("llama.rope.scaling.type", .string("longrope"))])
        == "rope scaling of type \"longrope\" is not supported; only none, linear and yarn are")
    #expect(
      try problem([("llama.rope.scaling.type", .string("yarn"))])
        == "rope.scaling.type is yarn, but rope.scaling.factor or original_context_length is missing"
    )
    #expect(
      try problem([("llama.block_count", .string("2"))])
        == "the metadata key \"llama.block_count\" is not one integer")
    #expect(
      try problem([("llama.block_count", .uint32(3))])
        == "there is no tensor \"blk.2.attn_norm.weight\" of shape [32]; the model is incomplete or of "
        + "another architecture")
    #expect(
      try problem([("llama.block_count", .uint32(1))])
        == "tensor \"blk.1.attn_k.weight\" has no place in the model that the metadata describes; this "
        + "model computes something that is not supported")
    #expect(
      try problem([("llama.attention.head_count", .int32(-1))])
        == "embedding_length and attention.head_count must be above 0")
    #expect(
      try problem([("llama.attention.key_length", .int32(-8))])
        == "heads have -8 values in keys, but 8 in values, which is not supported")
  }

  /// Damaged files are refused with one line or load whole.
  @Test func mutatedModels() throws {
    let folder = try TemporaryFolder()
    let url = folder.file("model.gguf")
    try write(ReferenceModel(name: "llama"), to: url)
    let good = Array(try Data(contentsOf: url))
    let header = 2200
    var random = SplitMix(seed: 9)
    var loaded = 0
    let rounds = fuzzRounds(600)
    for _ in 0..<rounds {
      var bytes = Array(good[..<header])
      for _ in 0..<Int.random(in: 1...2, using: &random) { mutate(&bytes, &random) }
      // Of the length that the header had, so that the tensors stay where they are.
      bytes = Array((bytes + [UInt8](repeating: 0, count: header)).prefix(header))
      try Data(bytes + good[header...]).write(to: url)
      do {
        _ = try CausalModel(directory: url)
        loaded += 1
      } catch let error as SpeculateError {
        #expect(!error.description.contains("\n"))
      }
    }
    #expect(loaded > 10 && loaded < rounds * 5 / 6, "\(loaded) of \(rounds) loaded")
  }
}
