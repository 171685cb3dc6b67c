import Files
import Foundation

/// What a model's folder says about chats.
struct ChatTemplateFiles {
  /// A template, and what to call it.
  struct Source {
    let text: String
    let name: String
  }

  /// The template for all conversations.
  private(set) var source: Source?
  /// The template for conversations with tools, if there is one of its own.
  private(set) var toolSource: Source?
  /// Special tokens' spellings by name, such as `bos_token`.
  private(set) var specialTokens: [String: String] = [:]
  /// The special tokens that a file names, those without a spelling included.
  private(set) var named: Set<String> = []

  init(directory: URL) throws {
    func file(_ name: String) -> URL { directory.appending(path: name) }
    for name in ["special_tokens_map.json", "tokenizer_config.json"] {
      for (key, value) in try TokenizerConfiguration.fields(of: file(name)) ?? [:]
      where key.hasSuffix("_token") {
        if let spelling = try TokenizerConfiguration.spelling(value) {
          specialTokens[key] = spelling
          named.insert(key)
        } else if value.isNull {
          named.insert(key)
        }
      }
    }
    if let template = try Self.text(of: file("chat_template.jinja")) {
      source = template
      toolSource = try Self.text(of: file("additional_chat_templates/tool_use.jinja"))
    } else {
      try readTemplates(of: file("tokenizer_config.json"))
    }
  }

  /// The templates in `tokenizer_config.json`: one, or a list of objects with `name` and `template`.
  private mutating func readTemplates(of file: URL) throws {
    guard let node = try TokenizerConfiguration.fields(of: file)?["chat_template"], !node.isNull
    else { return }
    let name = "\(file.path): chat_template"
    if let text = node.string {
      source = Source(text: text, name: name)
      return
    }
    guard node.isArray else {
      throw node.error("\"chat_template\" is neither a text nor a list; copy the file again")
    }
    var templates: [String: String] = [:]
    try node.forEachElement { element in
      let members = try element.members()
      guard let key = members["name"]?.string, let text = members["template"]?.string else {
        throw element.error("a \"chat_template\" has no name or no template; copy the file again")
      }
      templates[key] = text
    }
    source = templates["default"].map { Source(text: $0, name: "\(name) 'default'") }
    toolSource = templates["tool_use"].map { Source(text: $0, name: "\(name) 'tool_use'") }
    if source == nil, !templates.isEmpty {
      throw node.error(
        "none of the chat templates \(templates.keys.sorted().joined(separator: ", ")) is called "
          + "'default'; rename one")
    }
  }

  private static func text(of file: URL) throws -> Source? {
    guard TokenizerFiles.exists(file) else { return nil }
    guard let text = fileText(try TokenizerFiles.read(file)) else {
      throw TemplateProblem("the file is not UTF-8 text").error(in: file.path)
    }
    return Source(text: text, name: file.path)
  }
}
