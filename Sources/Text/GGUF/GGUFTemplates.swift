/// The keys under which GGUF files have chat templates.
enum GGUFTemplates {
  /// The template for all conversations.
  static let key = "tokenizer.chat_template"
  /// The names of others.
  static let namesKey = "tokenizer.chat_templates"
  /// The name of the one for conversations with tools.
  static let toolUse = "tool_use"

  static func key(named name: String) -> String { "\(key).\(name)" }
}
