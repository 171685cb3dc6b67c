import Files
import Foundation

/// What a model says about chats.
struct ChatTemplateFiles {
  /// A template, and what to call it.
  struct Source {
    let text: String
    let name: String
  }

  /// The templates by name; the usual one is called `default`, and one for tools `tool_use`.
  private(set) var templates: [String: Source] = [:]
  /// The folder or file, and what to say where it has no template.
  private let owner: String
  private let lack: String
  /// Special tokens' spellings by name, such as `bos_token`.
  private(set) var specialTokens: [String: String] = [:]
  /// The special tokens that a file names, those without a spelling included.
  private(set) var named: Set<String> = []

  /// Reads a folder: `chat_template.jinja` and `additional_chat_templates`, or else `chat_template` in
  /// `tokenizer_config.json`, which is one template or a list of them by name.
  init(directory: URL) throws {
    owner = directory.path
    lack =
      "neither chat_template.jinja nor a \"chat_template\" in tokenizer_config.json; give an "
      + "instruction model's folder"
    func file(_ name: String) -> URL { directory.appending(path: name) }
    let configuration = try TokenizerConfiguration.fields(of: file("tokenizer_config.json"))
    try readTokens(configuration ?? [:])
    // The older file comes first, but only beside a configuration of its time, as in transformers 5.
    if configuration?["added_tokens_decoder"] == nil {
      try readTokens(TokenizerConfiguration.fields(of: file("special_tokens_map.json")) ?? [:])
    }
    templates[GGUFTemplates.usual] = try Self.text(of: file("chat_template.jinja"))
    let folder = file("additional_chat_templates")
    for name in try Self.entries(of: folder) where name.hasSuffix(".jinja") {
      templates[String(name.dropLast(6))] = try Self.text(of: folder.appending(path: name))
    }
    if templates.isEmpty { try readTemplates(of: file("tokenizer_config.json")) }
  }

  /// Reads the metadata of a GGUF file: `tokenizer.chat_template`, and `tokenizer.chat_template.NAME`.
  init(_ file: GGUFFile) {
    let key = GGUFTemplates.key
    owner = file.url.path
    lack = "no \"\(key)\" in its metadata; give an instruction model"
    for (name, value) in file.metadata where name == key || name.hasPrefix(key + ".") {
      guard let text = value.text else { continue }
      templates[name == key ? GGUFTemplates.usual : String(name.dropFirst(key.count + 1))] =
        Source(text: text, name: "\(file.url.path): \(name)")
    }
  }

  /// The template for all conversations, and that for conversations with tools if there is another.
  ///
  /// - Throws: `SpeculateError` when there is none of the name.
  func chosen(
    _ choice: ChatSettings.Template
  ) throws -> (usual: Source, forTools: Source?) {
    let names = templates.keys.sorted().joined(separator: ", ")
    switch choice {
    case .source(let text): return (Source(text: text, name: "the chat template"), nil)
    case .model:
      if let template = templates[GGUFTemplates.usual] {
        return (template, templates[GGUFTemplates.toolUse])
      }
      throw SpeculateError(
        templates.isEmpty
          ? "\(owner) has no chat template, \(lack), or prompts that are no chats"
          : "\(owner) has no chat template called 'default', but \(names): choose one by ‘chat template’"
      )
    case .named(let name):
      if let template = templates[name] { return (template, nil) }
      guard let template = try Self.text(of: URL(filePath: name)) else {
        throw SpeculateError(
          "‘chat template’ \(quoted(name)) is neither a file nor a template of the model, which has "
            + "\(names.isEmpty ? "none" : names); give one of these")
      }
      return (template, nil)
    }
  }

  /// Takes the special tokens that a file names: `bos_token` and the like, and those in
  /// `extra_special_tokens` or `model_specific_special_tokens` where these are mappings.
  private mutating func readTokens(_ fields: [String: JSONNode]) throws {
    for (key, value) in fields where key.hasSuffix("_token") {
      let spelling = try TokenizerConfiguration.spelling(value)
      guard spelling != nil || value.isNull else { continue }
      specialTokens[key] = spelling
      named.insert(key)
    }
    for key in ["extra_special_tokens", "model_specific_special_tokens"] {
      guard let section = fields[key], section.isObject else { continue }
      for (name, value) in try section.members() {
        guard let spelling = try TokenizerConfiguration.spelling(value) else { continue }
        specialTokens[name] = spelling
        named.insert(name)
      }
    }
  }

  /// The templates in `tokenizer_config.json`: one, or a list of objects with `name` and `template`.
  private mutating func readTemplates(of file: URL) throws {
    guard let node = try TokenizerConfiguration.fields(of: file)?["chat_template"], !node.isNull
    else { return }
    let name = "\(file.path): chat_template"
    if let text = node.string {
      templates[GGUFTemplates.usual] = Source(text: text, name: name)
      return
    }
    guard node.isArray else {
      throw node.error("\"chat_template\" is neither a text nor a list; copy the file again")
    }
    try node.forEachElement { element in
      let members = try element.members()
      guard let key = members["name"]?.string, let text = members["template"]?.string else {
        throw element.error("a \"chat_template\" has no name or no template; copy the file again")
      }
      templates[key] = Source(text: text, name: "\(name) '\(key)'")
    }
  }

  private static func entries(of folder: URL) throws -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder),
      isFolder.boolValue
    else { return [] }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
      throw SpeculateError("\(folder.path): the folder can't be read; check its permissions")
    }
    return names
  }

  private static func text(of file: URL) throws -> Source? {
    guard TokenizerFiles.exists(file) else { return nil }
    guard let text = fileText(try TokenizerFiles.read(file)) else {
      throw TemplateProblem("the file is not UTF-8 text").error(in: file.path)
    }
    return Source(text: text, name: file.path)
  }
}
