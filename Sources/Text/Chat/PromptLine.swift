import Files
import Foundation

/// What a line of a prompt file asks for.
///
/// A line is a JSON object with one of these, the first of them that it has:
/// - `messages`: a chat, perhaps with `tools` and `chat_template_kwargs`;
/// - `turns`: what a user says, turn by turn (MT-Bench, Spec-Bench, GSM8K and MATH-500 as chats);
/// - `prompt`: a text to go on from (HumanEval);
/// - `text` and `test_list`: a task of MBPP, asked as its authors do (Austin et al., arXiv
///   2108.07732);
/// - `text`: a document.
package struct PromptLine: Sendable {
  package enum Content: Sendable {
    /// A whole conversation.
    case chat(Conversation)
    /// What a user says, at least one turn.
    case turns([String])
    /// A text to go on from as it stands.
    case prompt(String)
    /// A text to take a beginning or a piece of.
    case document(String)
  }

  package let content: Content
  /// What it is about, where the file says so.
  package let category: String?

  /// Reads a line.
  ///
  /// - Throws: `SpeculateError` that says what is wrong with the line and what to do, to be put
  ///   behind its place.
  package init(_ line: String) throws {
    let node: JSONNode
    do {
      node = try JSONText(Array(line.utf8), name: "the line").root
    } catch {
      throw SpeculateError("is \(error); correct the line or remove it")
    }
    guard node.isObject else { throw SpeculateError("is not a JSON object; correct the line") }
    let members = try node.members()
    category = members["category"]?.string
    content = try Self.content(members)
  }

  private static func content(_ members: [String: JSONNode]) throws -> Content {
    if members["messages"] != nil {
      do {
        return .chat(try Conversation(members))
      } catch let error as SpeculateError {
        throw SpeculateError("is no chat: \(error.description)")
      }
    }
    if let turns = try strings("turns", members) { return .turns(turns) }
    if let prompt = members["prompt"]?.string { return .prompt(prompt) }
    guard let text = members["text"]?.string else {
      throw SpeculateError(
        "holds neither prompt nor text: \"messages\", \"turns\", \"prompt\" or \"text\" should be there; correct "
          + "the line")
    }
    guard let tests = try strings("test_list", members) else { return .document(text) }
    return .prompt(
      "You are an expert Python programmer, and here is your task: \(text) "
        + "Your code should pass these tests:\n\n\(tests.joined(separator: "\n"))\n")
  }

  private static func strings(_ name: String, _ members: [String: JSONNode]) throws -> [String]? {
    guard let node = members[name] else { return nil }
    let elements = try node.elements()
    let texts = elements.compactMap(\.string)
    guard !texts.isEmpty, texts.count == elements.count else {
      throw SpeculateError("has a field \"\(name)\" that is no list of texts; correct the line")
    }
    return texts
  }
}
