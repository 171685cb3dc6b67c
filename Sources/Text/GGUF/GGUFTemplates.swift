/// The keys under which GGUF files have chat templates.
enum GGUFTemplates {
  /// The template for all conversations.
  static let key = "tokenizer.chat_template"
  /// The names of others.
  static let namesKey = "tokenizer.chat_templates"
  /// What the template for all conversations is called among others.
  static let usual = "default"
  /// The name of the one for conversations with tools.
  static let toolUse = "tool_use"

  static func key(named name: String) -> String { "\(key).\(name)" }
}
