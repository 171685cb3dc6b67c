import ArgumentParser
import Files
import Text

/// How chats are written, and what the spellings of special tokens are.
struct ChatTemplateFlags: ParsableArguments {
  @Option(
    """
    Write chats by this one of the target's chat templates, or by that of a file. (default: the \
    target's usual one, or its own for chats with tools)
    """, value: "name|file", parsing: .unconditional)
  var chatTemplate: String?
  @Option(
    """
    Values for the chat template, a JSON object such as '{"enable_thinking": false}'; a chat's own \
    'chat_template_kwargs' come first.
    """, value: "json", parsing: .unconditional)
  var chatTemplateKwargs: String?
  @Flag(
    inversion: .prefixedNo, exclusivity: .exclusive,
    help: """
      Take the spelling of a special token in a prompt or a chat for that token, or else for text \
      like any other. (default: yes, as transformers, vLLM and llama.cpp do)
      """)
  var parseSpecial: Bool?

  var isGiven: Bool { chatTemplate != nil || chatTemplateKwargs != nil || parseSpecial != nil }

  /// - Throws: `SpeculateError` for values that are no JSON object.
  func settings() throws -> ChatSettings {
    var settings = try chatTemplateKwargs.map { try ChatSettings(values: $0) } ?? ChatSettings()
    if let chatTemplate { settings.template = .named(chatTemplate) }
    settings.parsesSpecial = parseSpecial ?? true
    return settings
  }

  func validate() throws {
    do {
      _ = try settings()
    } catch let error as SpeculateError {
      throw ValidationError(SettingFlags.naming(error.description))
    }
  }
}
