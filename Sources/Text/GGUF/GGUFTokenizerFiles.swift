package import Files
package import Foundation

/// The files of a folder that a GGUF model's tokenizer and chat template become.
package enum GGUFTokenizerFiles {
  /// The files by name; none for a model without a tokenizer.
  ///
  /// - Throws: `SpeculateError` naming the key that is missing, damaged or not supported.
  package static func files(of file: GGUFFile) throws -> [String: Data] {
    guard let model = file.metadata["tokenizer.ggml.model"]?.text, model != "none" else {
      return [:]
    }
    let tokenizer = try GGUFTokenizer.load(file)
    var files: [String: Data] = [:]
    if let pieces = tokenizer as? PieceTokenizer {
      files["tokenizer.json"] = try TokenizerJSONWriter(pieces, file.url.path).data()
    } else {
      files["tokenizer.model"] = try GGUFTokenizer.sentencePieceModel(file)
    }
    files["tokenizer_config.json"] = try configuration(file, tokenizer).encoded()
    return files
  }

  private static func configuration(
    _ file: GGUFFile, _ tokenizer: any Tokenizer
  ) throws -> JSONValue {
    let around = try tokenizer.encode("a", addSpecial: true)
    let inside = try tokenizer.encode("a", addSpecial: false)
    var members: [String: JSONValue] = [
      "add_bos_token": .bool(around.first != inside.first),
      "add_eos_token": .bool(around.last != inside.last),
    ]
    members["bos_token"] = tokenizer.beginToken.flatMap(tokenizer.piece).map { .string($0) }
    members["eos_token"] = tokenizer.endTokens.first.flatMap(tokenizer.piece).map { .string($0) }
    let templates = ChatTemplateFiles(file).templates
    if let usual = templates[GGUFTemplates.usual], templates.count == 1 {
      members["chat_template"] = .string(usual.text)
    } else if !templates.isEmpty {
      members["chat_template"] = .array(
        templates.sorted { $0.key < $1.key }.map { name, template in
          .object(["name": .string(name), "template": .string(template.text)])
        })
    }
    return .object(members)
  }
}
