package import Text

/// What an output is held to: the target chooses among the tokens with which a text of a grammar goes on, and
/// ends where such a text may.
///
/// It is part of the target's own choice, like a filter, at any temperature: plain and speculative decoding
/// give the same tokens under it. An output that ends by itself is wholly a text of the grammar; one that
/// ``FinishReason/length`` cut is the beginning of one.
///
/// ```swift
/// var parameters = GenerationParameters()
/// parameters.constraint = try Constraint(
///   .jsonSchema(#"{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}"#))
/// ```
public struct Constraint: Sendable, Equatable {
  package let grammar: Grammar

  /// What describes the texts.
  public enum Form: Sendable, Hashable {
    /// Rules in GBNF, llama.cpp's form of Backus and Naur's, from the rule `root` on.
    case grammar(String)
    /// A JSON schema: values that it allows, spelled as Python's `json.dumps` does.
    case jsonSchema(String)
    /// Any JSON object.
    case jsonObject
    /// One of some texts.
    case choice([String])
    /// Whatever a regular expression matches as a whole.
    case pattern(String)
  }

  /// Compiles a description.
  ///
  /// - Parameters:
  ///   - form: the description.
  ///   - name: what errors call a JSON schema.
  /// - Throws: ``SpeculateError`` naming the line, or the keyword and its place, that can't be used.
  public init(_ form: Form, name: String = "the JSON schema") throws {
    let source: Grammar.Source =
      switch form {
      case .grammar(let rules): .rules(rules)
      case .jsonSchema(let schema): .schema(schema)
      case .jsonObject: .jsonObject
      case .choice(let texts): .texts(texts)
      case .pattern(let pattern): .pattern(pattern)
      }
    grammar = try Grammar(source, name: name)
  }

  package init(_ grammar: Grammar) { self.grammar = grammar }
}
