import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

/// Settings of families with LayerNorm, fused tensors and parallel layers.
@Suite struct ClassicFamilyTests {
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

  @Test func sizesByOtherNames() throws {
    let model = try configuration("gpt2-relu")
    #expect(model.hiddenSize == 24 && model.layerCount == 2 && model.headCount == 2)
    #expect(model.intermediateSize == 4 * 24 && model.maximumContext == 96)
    #expect(model.activation == .relu && !model.tiesEmbeddings)
    #expect(try configuration("gpt2-relu", ["n_inner": .integer(50)]).intermediateSize == 50)
    #expect(try configuration("gpt2").positions?.shape == [75, 32])
    #expect(
      problem("gpt2", ["n_embd": .integer(1 << 62)])
        == "n_embd is \(1 << 62), but must be from 1 to 131072")
    #expect(
      problem("gpt2", ["n_head": nil]) == "n_head is missing; add it or download the file again")
  }

  @Test func switches() throws {
    #expect(try configuration("gptneox").flow == .parallel)
    #expect(try configuration("gptneox", ["use_parallel_residual": nil]).flow == .parallel)
    #expect(try configuration("gptneox-sequential").flow == .sequential)
    #expect(try configuration("stablelm", ["use_parallel_residual": nil]).flow == .sequential)
    #expect(try configuration("phi").headNorms == .none)
    #expect(try configuration("phi-norms").headNorms == .each)
    #expect(try configuration("cohere").headNorms == .eachOwn)
  }

  /// Each of these changes the computation, and is said by its name.
  @Test func whatIsRefused() {
    func refused(_ meaning: String, _ key: String) -> String {
      "\(meaning) (\(key)) is not supported; use a checkpoint without it"
    }
    #expect(
      problem("gpt2", ["scale_attn_weights": .bool(false)])
        == refused("attention without a scale", "scale_attn_weights"))
    #expect(
      problem("gpt2", ["scale_attn_by_inverse_layer_idx": .bool(true)])
        == refused("attention scaled by layers", "scale_attn_by_inverse_layer_idx"))
    #expect(
      problem("gpt2", ["add_cross_attention": .bool(true)])
        == refused("cross-attention", "add_cross_attention"))
    #expect(
      problem("stablelm", ["qk_layernorm": .bool(true)])
        == refused("normed query and key heads", "qk_layernorm"))
    #expect(
      problem("llama", ["use_parallel_residual": .bool(true)])
        == refused("attention beside the feed-forward part", "use_parallel_residual"))
    #expect(
      problem("cohere2", ["use_qk_norm": .bool(true)])
        == refused("normed query and key heads", "use_qk_norm"))
    #expect(
      problem("phi3", ["clip_qkv": .integer(8)]) == refused("clipped projections", "clip_qkv"))
    #expect(
      problem("gpt2", ["activation_function": .string("gelu_10")])
        == "activation_function \"gelu_10\" is not supported; only gelu_pytorch_tanh and gelu and "
        + "relu and silu is")
    #expect(
      problem("gptneox", ["use_parallel_residual": .integer(1)]).contains("use_parallel_residual"))
  }

  /// What is written is read again, under the family's own keys.
  @Test(arguments: ReferenceModel.names) func writtenConfigurationsAreRead(name: String) throws {
    let model = try configuration(name)
    let again = try TestFiles.withFolder(["config.json": try model.encoded()]) {
      try ModelConfiguration(directory: $0)
    }
    #expect(again == model)
  }

  /// Layers that no pass goes back through are named.
  @Test func whatIsFused() throws {
    let layer = try configuration("gptneox").layout(ofLayer: 1)
    let key = try #require(layer[.key])
    #expect(key.storedName == "gpt_neox.layers.1.attention.query_key_value.weight")
    #expect(key.shape == [32, 32] && key.storedShape == [96, 32])
    #expect((0..<10).map(key.order.place) == [8, 9, 10, 11, 12, 13, 14, 15, 32, 33])
    let position = try #require(try configuration("gpt2").layout(ofLayer: 0)[.value])
    #expect(position.storedName == "transformer.h.0.attn.c_attn.weight")
    #expect(position.storedShape == [32, 96] && position.order.place(of: 3) == 67)
  }
}
