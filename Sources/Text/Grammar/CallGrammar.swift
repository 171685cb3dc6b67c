import Files

/// How a family's answers spell calls of functions, as far as a grammar has to know it.
package struct CallForm: Sendable, Hashable {
  /// What stands before a call, between it and the next, and behind it.
  package var before: [Part]
  package var between: [Part]
  package var after: [Part]
  /// What stands between the name and the arguments, `{"name": "` and the like being parts of ``before``.
  package var middle: [Part]
  package var callAfter: [Part]
  package var callBefore: [Part]
  /// Whether several calls may follow each other.
  package var isRepeated: Bool

  /// A text, or a special token.
  package enum Part: Sendable, Hashable {
    case text(String)
    case mark(String)
  }

  package init(
    before: [Part] = [], callBefore: [Part], middle: [Part], callAfter: [Part],
    between: [Part] = [],
    after: [Part] = [], isRepeated: Bool
  ) {
    self.before = before
    self.callBefore = callBefore
    self.middle = middle
    self.callAfter = callAfter
    self.between = between
    self.after = after
    self.isRepeated = isRepeated
  }
}

/// A function that an answer may call.
package struct CalledFunction: Sendable, Hashable {
  package var name: String
  /// The schema of its arguments; `nil` for none.
  package var parameters: String?
  /// What errors call the schema.
  package var place: String

  package init(name: String, parameters: String?, place: String) {
    self.name = name
    self.parameters = parameters
    self.place = place
  }
}

/// Rules of answers that are calls of functions and nothing else.
enum CallGrammar {
  static func rules(_ form: CallForm, _ functions: [CalledFunction]) throws -> GrammarRules {
    guard !functions.isEmpty else { throw SpeculateError("there is no function to call") }
    var rules = GrammarRules()
    let root = rules.add("calls")
    var calls: [GrammarExpression] = []
    for function in functions {
      let arguments = try arguments(of: function, in: &rules)
      // Within the quotes of a JSON text, or bare where there is nothing to escape.
      let name = String(jsonLiteral(function.name).dropFirst().dropLast())
      calls.append(
        .sequence([
          text(form.callBefore), .text(name), text(form.middle), arguments, text(form.callAfter),
        ]))
    }
    let call = GrammarExpression.rule(rules.add("call", .choice(calls)))
    let further = GrammarExpression.sequence([text(form.between), call])
    rules.bodies[root] = .sequence([
      text(form.before), call, form.isRepeated ? .repeated(further, least: 0, most: nil) : .empty,
      text(form.after),
    ])
    rules.root = root
    return rules
  }

  private static func arguments(
    of function: CalledFunction, in rules: inout GrammarRules
  ) throws -> GrammarExpression {
    guard let parameters = function.parameters else { return .text("{}") }
    let own = try JSONSchemaReader.rules(
      JSONText(Array(parameters.utf8), name: function.place).root, name: function.place)
    return .rule(rules.add(own))
  }

  private static func text(_ parts: [CallForm.Part]) -> GrammarExpression {
    .sequence(
      parts.map {
        switch $0 {
        case .text(let text): .text(text)
        case .mark(let spelling): .mark(spelling)
        }
      })
  }
}

extension GrammarRules {
  /// Adds the rules of another grammar.
  ///
  /// - Returns: the number of its root here.
  mutating func add(_ other: GrammarRules) -> Int {
    let first = names.count
    names += other.names
    bodies += other.bodies.map { $0.shifted(by: first) }
    return first + other.root
  }
}

extension GrammarExpression {
  /// The same with other numbers of rules.
  fileprivate func shifted(by count: Int) -> Self {
    switch self {
    case .bytes, .scalars: self
    case .sequence(let parts): .sequence(parts.map { $0.shifted(by: count) })
    case .choice(let parts): .choice(parts.map { $0.shifted(by: count) })
    case .repeated(let part, let least, let most):
      .repeated(part.shifted(by: count), least: least, most: most)
    case .rule(let rule): .rule(rule + count)
    }
  }
}
