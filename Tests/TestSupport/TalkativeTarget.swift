import Files
package import Foundation
import Tensors

/// A target that writes nothing but letters and blanks and ends after some of them, with a chat template:
/// random but for one channel, which all embeddings share and by which the head tells tokens apart.
package enum TalkativeTarget {
  package static let end = 2
  /// Four special tokens, the bytes, and the mark that stands for a space.
  package static let vocabulary = 261

  private static let hidden = 32

  package static let template = """
    {{ bos_token }}{% for m in messages %}[{{ m.role[0] }}]{{ m.content }}{{ eos_token }}\
    {% endfor %}{% if add_generation_prompt %}[a]{% endif %}
    """

  /// Writes the target's folder.
  ///
  /// - Parameter template: The chat template; nil for none.
  package static func write(to folder: URL, template: String? = template) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let builder = SentencePieceModelBuilder(words: ["\u{2581}"], extra: [("<mask>", .control)])
    try builder.data.write(to: folder.appending(path: "tokenizer.model"))
    try write(
      [
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": vocabulary,
        "hidden_size": hidden, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0, "max_position_embeddings": 256, "tie_word_embeddings": false,
        "bos_token_id": 1, "eos_token_id": end,
      ], to: folder.appending(path: "config.json"))
    if let template {
      try write(
        ["bos_token": "<s>", "eos_token": "</s>", "chat_template": template],
        to: folder.appending(path: "tokenizer_config.json"))
    }
    try writeWeights(to: folder.appending(path: "model.safetensors"))
  }

  private static func write(_ fields: [String: Any], to file: URL) throws {
    try JSONSerialization.data(withJSONObject: fields).write(to: file)
  }

  private static func writeWeights(to file: URL) throws {
    var random = SplitMix(seed: 5)
    var tensors: [(name: String, shape: [Int], values: FloatBuffer)] = []
    func add(_ name: String, _ shape: [Int], _ scale: Float, shared: ((Int) -> Float)? = nil) {
      let buffer = FloatBuffer(count: shape.reduce(1, *))
      for index in 0..<buffer.count {
        buffer.base[index] =
          shape.count == 1 ? 1 : Float.random(in: -scale...scale, using: &random)
      }
      if let shared {
        for row in 0..<shape[0] { buffer.base[row * shape[1]] = shared(row) }
      }
      tensors.append((name, shape, buffer))
    }
    add("model.embed_tokens.weight", [vocabulary, hidden], 1) { _ in 3 }
    for layer in 0..<2 {
      for (name, shape) in [
        ("input_layernorm", [hidden]), ("post_attention_layernorm", [hidden]),
        ("self_attn.q_proj", [32, hidden]), ("self_attn.k_proj", [16, hidden]),
        ("self_attn.v_proj", [16, hidden]), ("self_attn.o_proj", [hidden, 32]),
        ("self_attn.q_norm", [16]), ("self_attn.k_norm", [16]), ("mlp.gate_proj", [48, hidden]),
        ("mlp.up_proj", [48, hidden]), ("mlp.down_proj", [hidden, 48]),
      ] { add("model.layers.\(layer).\(name).weight", shape, 0.2) }
    }
    add("model.norm.weight", [hidden], 1)
    // Bytes follow the four special tokens, and the space comes last.
    let spoken = Set((UInt8(ascii: "a")...UInt8(ascii: "z")).map { Int($0) + 4 } + [260])
    add("lm_head.weight", [vocabulary, hidden], 0.5) {
      spoken.contains($0) ? 0 : $0 == end ? 0.2 : -8
    }
    try SafetensorsWriter.write(
      tensors.map { .init(name: $0.name, shape: $0.shape, type: .f32, values: $0.values.base) },
      metadata: [:], to: file)
  }
}
