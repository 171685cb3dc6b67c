import Foundation
import Tensors

/// Writes a trained model as a folder in the layout of the Hugging Face hub.
enum ModelExport {
  /// Writes `config.json`, `generation_config.json` and `model.safetensors`, and copies the
  /// tokenizer if one is given.
  static func write(
    _ model: CausalTrainingModel, type: ElementType, tokenizer: URL?, to directory: URL
  ) throws {
    try writeJSON(configuration(model.architecture, type), "config.json", directory)
    try writeJSON(
      ["bos_token_id": 1, "eos_token_id": 2, "do_sample": false], "generation_config.json",
      directory)
    if let tokenizer {
      // The documents were joined by end tokens alone, so a begin token would be new to the model.
      try writeJSON(
        ["add_bos_token": false, "add_eos_token": false], "tokenizer_config.json", directory)
      let copy = directory.appendingPathComponent("tokenizer.model")
      if copy.standardizedFileURL != tokenizer.standardizedFileURL {
        try AtomicFile.write(try Data(contentsOf: tokenizer), to: copy)
      }
    }
    let entries = model.layout.entries.map {
      SafetensorsWriter.Entry(
        name: $0.name, shape: $0.shape, type: type, values: model.parameters.base + $0.offset)
    }
    try SafetensorsWriter.write(
      entries, metadata: ["format": "pt"],
      to: directory.appendingPathComponent("model.safetensors"))
  }

  private static func configuration(
    _ a: CausalArchitecture, _ type: ElementType
  ) -> [String: Any] {
    [
      "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3",
      "vocab_size": a.vocabularySize, "hidden_size": a.hiddenSize,
      "intermediate_size": a.intermediateSize, "num_hidden_layers": a.layerCount,
      "num_attention_heads": a.headCount, "num_key_value_heads": a.keyValueHeadCount,
      "head_dim": a.headDimension, "rms_norm_eps": Double("\(a.normEpsilon)") ?? 1e-6,
      "rope_theta": a.ropeTheta, "max_position_embeddings": a.maximumContext,
      "tie_word_embeddings": true, "attention_bias": false, "hidden_act": "silu",
      "bos_token_id": 1, "eos_token_id": 2, "use_sliding_window": false,
      "torch_dtype": type == .bf16 ? "bfloat16" : "float32",
    ]
  }

  private static func writeJSON(_ object: [String: Any], _ name: String, _ directory: URL) throws {
    let data = try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    try AtomicFile.write(data + Data("\n".utf8), to: directory.appendingPathComponent(name))
  }
}
