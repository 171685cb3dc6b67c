import Files
import Foundation
import Tensors

/// A target of random weights and a drafter for it, small enough to run in milliseconds, written
/// to a temporary folder with a tokenizer that knows single bytes.
struct TinyPair {
  /// What may be changed before writing, to make a pair that doesn't fit together.
  struct Sizes {
    var vocabulary = TinyTokenizer.vocabulary
    var hidden = 32
    var layers = 2
    var context = 128
  }

  /// The folder that holds `target` and `drafter`; usable as `SPECULATE_WEIGHTS`.
  let folder: URL

  var target: URL { folder.appending(path: "target") }
  var drafter: URL { folder.appending(path: "drafter") }

  /// Writes a pair; both were made for each other unless `drafterSizes` says otherwise.
  init(_ sizes: Sizes = Sizes(), drafterSizes: Sizes? = nil) throws {
    folder = try temporaryFolder()
    try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
    try FileManager.default.createDirectory(at: drafter, withIntermediateDirectories: true)
    try TinyTokenizer.model.write(to: target.appending(path: "tokenizer.model"))
    try Self.writeTarget(sizes, to: target)
    try Self.writeDrafter(drafterSizes ?? sizes, to: drafter)
  }

  /// The template marks the end of a turn by the tokenizer's end token, and knows no tools.
  private static let chatTemplate = """
    {{ bos_token }}{% for m in messages %}
    {% if m.role not in ['system', 'user', 'assistant'] %}{{ raise_exception('No ' ~ m.role) }}{% endif %}
    [{{ m.role[0] }}]{{ m.content | trim }}{{ eos_token }}
    {%- endfor %}
    {% if add_generation_prompt %}[a]{% endif %}
    """

  /// Makes the target an instruction model.
  func addChatTemplate() throws {
    let configuration = [
      "bos_token": "<s>", "eos_token": "</s>", "chat_template": Self.chatTemplate,
    ]
    try JSONSerialization.data(withJSONObject: configuration)
      .write(to: target.appending(path: "tokenizer_config.json"))
  }

  /// Writes `prompts.jsonl`, and gives the flags by which the target answers it briefly.
  func promptFlags() throws -> [String] {
    let prompts = (0..<30).map { #"{"prompt":"abc\#($0)"}"# }.joined(separator: "\n")
    let file = folder.appending(path: "prompts.jsonl")
    try Data(prompts.utf8).write(to: file)
    return [
      "--target", target.path, "--data", file.path, "--longest-prompt", "20", "--response-length",
      "20",
    ]
  }

  /// Removes the folder.
  func remove() { try? FileManager.default.removeItem(at: folder) }

  private static func fields(_ sizes: Sizes, layers: Int) -> [String: Any] {
    [
      "model_type": "qwen3", "vocab_size": sizes.vocabulary, "hidden_size": sizes.hidden,
      "intermediate_size": 48, "num_hidden_layers": layers, "num_attention_heads": 2,
      "num_key_value_heads": 1, "head_dim": 16, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
      "max_position_embeddings": sizes.context, "tie_word_embeddings": true,
    ]
  }

  private static func writeTarget(_ sizes: Sizes, to folder: URL) throws {
    var configuration = fields(sizes, layers: sizes.layers)
    configuration["architectures"] = ["Qwen3ForCausalLM"]
    configuration["bos_token_id"] = TinyTokenizer.begin
    configuration["eos_token_id"] = TinyTokenizer.end
    try write(configuration, to: folder)
    var weights = TinyWeights(seed: 1)
    weights.add("model.embed_tokens.weight", [sizes.vocabulary, sizes.hidden])
    for layer in 0..<sizes.layers {
      weights.addLayer("model.layers.\(layer).", hidden: sizes.hidden)
    }
    weights.add("model.norm.weight", [sizes.hidden])
    try weights.write(to: folder)
  }

  private static func writeDrafter(_ sizes: Sizes, to folder: URL) throws {
    var configuration = fields(sizes, layers: 1)
    configuration["architectures"] = ["DFlashDraftModel"]
    configuration["block_size"] = 4
    configuration["dflash_config"] = [
      "mask_token_id": TinyTokenizer.mask, "target_layer_ids": [sizes.layers / 2],
    ]
    configuration["num_target_layers"] = sizes.layers
    try write(configuration, to: folder)
    var weights = TinyWeights(seed: 2)
    weights.add("fc.weight", [sizes.hidden, sizes.hidden])
    weights.add("hidden_norm.weight", [sizes.hidden])
    weights.addLayer("layers.0.", hidden: sizes.hidden)
    weights.add("norm.weight", [sizes.hidden])
    try weights.write(to: folder)
  }

  private static func write(_ configuration: [String: Any], to folder: URL) throws {
    try JSONSerialization.data(withJSONObject: configuration)
      .write(to: folder.appending(path: "config.json"))
  }
}

/// Random tensors that become one safetensors file.
private struct TinyWeights {
  private var random: SplitMix
  private var tensors: [(name: String, shape: [Int], values: FloatBuffer)] = []

  init(seed: UInt64) { random = SplitMix(seed: seed) }

  /// A matrix of random values, or a vector of ones.
  mutating func add(_ name: String, _ shape: [Int]) {
    let buffer = FloatBuffer(count: shape.reduce(1, *))
    for index in 0..<buffer.count {
      buffer.base[index] = shape.count == 1 ? 1 : Float.random(in: -0.5...0.5, using: &random)
    }
    tensors.append((name, shape, buffer))
  }

  /// A layer of two heads of 16 over one key-value head.
  mutating func addLayer(_ prefix: String, hidden: Int) {
    for (name, shape) in [
      ("input_layernorm", [hidden]), ("post_attention_layernorm", [hidden]),
      ("self_attn.q_proj", [32, hidden]), ("self_attn.k_proj", [16, hidden]),
      ("self_attn.v_proj", [16, hidden]), ("self_attn.o_proj", [hidden, 32]),
      ("self_attn.q_norm", [16]), ("self_attn.k_norm", [16]),
      ("mlp.gate_proj", [48, hidden]), ("mlp.up_proj", [48, hidden]),
      ("mlp.down_proj", [hidden, 48]),
    ] {
      add("\(prefix)\(name).weight", shape)
    }
  }

  func write(to folder: URL) throws {
    let entries = tensors.map {
      SafetensorsWriter.Entry(name: $0.name, shape: $0.shape, type: .f32, values: $0.values.base)
    }
    try SafetensorsWriter.write(
      entries, metadata: [:], to: folder.appending(path: "model.safetensors"))
  }
}
