import Files

/// A set of texts, described by rules; immutable, and shared by all who write such texts.
///
/// It is compiled once. Two grammars are equal if they were described alike.
package final class Grammar: Sendable, Equatable {
  /// What a grammar was made of.
  package enum Source: Sendable, Hashable {
    /// Rules in GBNF.
    case rules(String)
    /// A JSON schema.
    case schema(String)
    case jsonObject
    case texts([String])
    /// A regular expression of the whole text.
    case pattern(String)
    /// Calls of functions.
    case calls(CallForm, [CalledFunction])
  }

  let automaton: GrammarAutomaton
  package let source: Source

  /// Compiles a description.
  ///
  /// - Parameter name: what errors call a schema.
  /// - Throws: ``SpeculateError`` naming the line, or the keyword and its place.
  package init(_ source: Source, name: String = "the JSON schema") throws {
    self.source = source
    let rules: GrammarRules
    switch source {
    case .rules(let text): rules = try GBNFParser.rules(text)
    case .schema(let text):
      let node: JSONNode
      do {
        node = try JSONText(Array(text.utf8), name: name).root
      } catch {
        throw SpeculateError("\(name) is \(error); correct it")
      }
      rules = try JSONSchemaReader.rules(node, name: name)
    case .jsonObject:
      var json = JSONRules(.free)
      _ = json.object()
      rules = json.rules
    case .texts(let texts):
      guard !texts.isEmpty else { throw SpeculateError("there is no text to choose") }
      rules = GrammarRules(names: ["text"], bodies: [.choice(texts.map { .text($0) })])
    case .pattern(let pattern):
      do {
        let body = try PatternReader.expression(
          pattern, isAnchored: true, spelling: { .scalars($0) })
        rules = GrammarRules(names: ["pattern"], bodies: [body])
      } catch {
        throw SpeculateError("the pattern \(quoted(pattern)) can't be used: \(error)")
      }
    case .calls(let form, let functions): rules = try CallGrammar.rules(form, functions)
    }
    automaton = try GrammarCompiler.compile(rules)
  }

  package static func == (left: Grammar, right: Grammar) -> Bool {
    left === right || left.source == right.source
  }
}
