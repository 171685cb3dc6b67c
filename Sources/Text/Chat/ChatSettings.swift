import Files
import Foundation

/// How conversations are written, besides what is in them.
public struct ChatSettings: Sendable {
  /// Which chat template writes conversations.
  public enum Template: Sendable, Equatable {
    /// The model's: that for tools where there are some and it has one, or else its default.
    case model
    /// One of the model's templates by its name, or else the file at this path.
    case named(String)
    /// This text, in the Jinja language.
    case source(String)
  }

  /// Which chat template writes conversations.
  public var template = Template.model
  /// Whether the spelling of a special token in what a conversation says becomes that token, as in
  /// transformers, vLLM and llama.cpp. With `false` it is a text like any other, so that nobody's words can
  /// end a turn; what the template itself writes still becomes special tokens.
  public var parsesSpecial = true
  /// Values for the template, by name.
  let values: [String: TemplateValue]

  /// The settings of a model's folder.
  public init() { values = [:] }

  /// Settings with values for the template.
  ///
  /// - Parameter values: a JSON object such as `{"enable_thinking": false}`. A conversation's own values come
  ///   first. `add_generation_prompt` says whether to write what stands in front of an answer.
  /// - Throws: ``SpeculateError`` when it is no JSON object, or names what a conversation says itself.
  public init(values: String) throws {
    let node = try JSONText(Data(values.utf8), name: "‘chat template kwargs’").root
    guard node.isObject else {
      throw SpeculateError("‘chat template kwargs’ are no JSON object; give {\"name\": value, …}")
    }
    self.values = try Self.values(node)
  }

  /// The values of a JSON object.
  static func values(_ node: JSONNode) throws -> [String: TemplateValue] {
    var values: [String: TemplateValue] = [:]
    try node.forEachMember { key, value in
      guard let key = key.string else { return }
      guard !["messages", "tools"].contains(key) else {
        throw SpeculateError(
          "‘chat template kwargs’ can't set \(quoted(key)), which the conversation says itself")
      }
      let value = try Conversation.checked { try TemplateValue(value) }
      if key == addsPrompt, value.boolean == nil {
        throw SpeculateError("‘chat template kwargs’: \(quoted(key)) is not true or false")
      }
      values[key] = value
    }
    return values
  }

  /// The value that says whether to write what stands in front of an answer.
  static let addsPrompt = "add_generation_prompt"
}
