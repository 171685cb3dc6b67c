import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Training

/// What a drafter starts with when it starts as layers of its target.
@Suite struct DrafterInitializationTests {
  /// A Llama has no norms of heads, a drafter has: they start at 1, and the rest as the target's.
  @Test func `a drafter starts as layers of a target without head norms`() throws {
    let folder = try TemporaryFolder()
    var options = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
    let target = try Checkpoint(directory: options.target)
    options.target = try llama(options.target, target, in: folder)
    (options.steps, options.exportType) = (1, .f32)
    (options.initialization, options.learningRate) = (.target(), 1e-12)
    #expect(try DistillRecipeTests.run(options).isDone)
    let drafter = try Checkpoint(file: options.output.appending(path: "model.safetensors"))
    for (own, other) in [
      ("layers.1.self_attn.v_proj", "model.layers.2.self_attn.v_proj"),
      ("layers.0.mlp.down_proj", "model.layers.1.mlp.down_proj"),
    ] {
      let shape = try #require(drafter.shape(of: "\(own).weight"))
      let values = try drafter.floats("\(own).weight", shape: shape)
      let origin = try target.floats("\(other).weight", shape: shape)
      #expect((0..<values.count).allSatisfy { abs(values.base[$0] - origin.base[$0]) < 1e-6 })
    }
    let norm = try drafter.floats("layers.1.self_attn.q_norm.weight", shape: [8])
    #expect((0..<8).allSatisfy { abs(norm.base[$0] - 1) < 1e-6 })
  }

  /// The same model without norms of heads.
  private func llama(
    _ url: URL, _ target: Checkpoint, in folder: TemporaryFolder
  ) throws -> URL {
    let llama = folder.file("llama")
    try FileManager.default.copyItem(at: url, to: llama)
    let tensors = try target.names.filter { !$0.hasSuffix("_norm.weight") }.map { name in
      let shape = try #require(target.shape(of: name))
      return (name: name, shape: shape, values: try target.floats(name, shape: shape))
    }
    try SafetensorsWriter.write(
      tensors.map { .init(name: $0.name, shape: $0.shape, type: .f32, values: $0.values.base) },
      to: llama.appending(path: "model.safetensors"))
    withExtendedLifetime(tensors) {}
    let file = llama.appending(path: "config.json")
    try String(contentsOf: file, encoding: .utf8)
      .replacing("qwen3", with: "llama").replacing("Qwen3", with: "Llama")
      .write(to: file, atomically: true, encoding: .utf8)
    return llama
  }
}
