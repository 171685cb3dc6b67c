import Files
package import Foundation
import Tensors
import Text
package import Verifier

/// Writes a trained model as a folder in the layout of the Hugging Face hub.
package enum ModelExport {
  /// Writes `config.json`, `generation_config.json` and `model.safetensors`, and copies the
  /// tokenizer if one is given.
  ///
  /// - Parameters:
  ///   - configuration: The model's (`CausalArchitecture.configuration`); weights are stored in its
  ///     element type, f32 if it has none.
  ///   - tokenizer: A SentencePiece model.
  package static func write(
    _ model: CausalTrainingModel, configuration: ModelConfiguration, tokenizer: URL?,
    to directory: URL
  ) throws {
    func file(_ name: String) -> URL { directory.appendingPathComponent(name) }
    try AtomicFile.write(try configuration.encoded(), to: file("config.json"))
    try AtomicFile.write(generation(configuration).encoded(), to: file("generation_config.json"))
    if let tokenizer {
      // The documents were joined by end tokens alone, so a begin token would be new to the model.
      let settings: [String: JSONValue] = [
        "add_bos_token": .bool(false), "add_eos_token": .bool(false),
      ]
      try AtomicFile.write(JSONValue.object(settings).encoded(), to: file("tokenizer_config.json"))
      let copy = file("tokenizer.model")
      if copy.standardizedFileURL != tokenizer.standardizedFileURL {
        try AtomicFile.write(try Data(contentsOf: tokenizer), to: copy)
      }
    }
    try SafetensorsWriter.write(
      model.layout.tensors(model.parameters, as: configuration.elementType ?? .f32),
      metadata: ["format": "pt"], to: file("model.safetensors"))
  }

  /// Copies what a tokenizer is made of, and the chat template, from another model's folder, or writes
  /// what a GGUF file says of them.
  package static func copyTokenizer(from source: URL, to directory: URL) throws {
    if GGUFFile.isMeant(by: source) {
      for (name, content) in try GGUFTokenizerFiles.files(of: GGUFFile(url: source)) {
        try AtomicFile.write(content, to: directory.appendingPathComponent(name))
      }
      return
    }
    for name in tokenizerFiles {
      let file = source.appendingPathComponent(name)
      guard FileManager.default.fileExists(atPath: file.path) else { continue }
      let content: Data
      do { content = try Data(contentsOf: file) } catch {
        throw SpeculateError("can't read \(file.path): \(systemReason(error))")
      }
      try AtomicFile.write(content, to: directory.appendingPathComponent(name))
    }
  }

  private static let tokenizerFiles = [
    "tokenizer.json", "tekken.json", "tokenizer.model", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
    "chat_template.jinja", "chat_template.json",
  ]

  private static func generation(_ configuration: ModelConfiguration) -> JSONValue {
    var members: [String: JSONValue] = ["do_sample": .bool(false)]
    let ends = configuration.endTokens.map { JSONValue.integer(Int($0)) }
    if let first = ends.first { members["eos_token_id"] = ends.count == 1 ? first : .array(ends) }
    if let token = configuration.beginToken { members["bos_token_id"] = .integer(Int(token)) }
    return .object(members)
  }
}
