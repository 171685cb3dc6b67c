struct TemplateExpression: Sendable {
  indirect enum Kind: Sendable {
    case literal(TemplateValue)
    case name(String)
    case list([TemplateExpression], isTuple: Bool)
    case mapping([(key: TemplateExpression, value: TemplateExpression)])
    case attribute(TemplateExpression, String)
    case item(TemplateExpression, TemplateExpression)
    case slice(
      TemplateExpression, start: TemplateExpression?, stop: TemplateExpression?,
      step: TemplateExpression?)
    case call(TemplateExpression, Arguments)
    case filter(TemplateExpression, FilterCall)
    case test(TemplateExpression, String, Arguments)
    case not(TemplateExpression)
    case negative(TemplateExpression)
    case positive(TemplateExpression)
    case and(TemplateExpression, TemplateExpression)
    case or(TemplateExpression, TemplateExpression)
    case arithmetic(Arithmetic, TemplateExpression, TemplateExpression)
    case concatenation([TemplateExpression])
    case comparison(TemplateExpression, [(operation: Comparison, value: TemplateExpression)])
    case conditional(
      condition: TemplateExpression, then: TemplateExpression, otherwise: TemplateExpression?)
  }

  struct Arguments: Sendable {
    var positional: [TemplateExpression] = []
    var named: [(name: String, value: TemplateExpression)] = []
  }

  struct FilterCall: Sendable {
    let name: String
    let arguments: Arguments
    let line: Int
  }

  /// An operation on numbers, some of them also on texts and lists.
  enum Arithmetic: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case remainder = "%"
    case power = "**"
  }

  enum Comparison: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case contained = "in"
    case notContained = "not in"
  }

  let kind: Kind
  /// The line it stands on, from 1.
  let line: Int
  /// The longest way to a leaf, which is bounded.
  let depth: Int
}

struct TemplateStatement: Sendable {
  indirect enum Kind: Sendable {
    case text(String)
    case output(TemplateExpression)
    case set(TemplateTarget, TemplateExpression)
    /// `{% set name %}…{% endset %}`
    case capture(TemplateTarget, [TemplateExpression.FilterCall], [TemplateStatement])
    case loop(Loop)
    case conditional(
      [(condition: TemplateExpression, body: [TemplateStatement])], otherwise: [TemplateStatement])
    case macro(TemplateMacro)
    case with([(target: TemplateTarget, value: TemplateExpression)], [TemplateStatement])
    /// `{% filter name %}…{% endfilter %}`
    case filtered([TemplateExpression.FilterCall], [TemplateStatement])
    /// `{% generation %}`: what the assistant wrote, as training masks want to know.
    case generation([TemplateStatement])
    case breakLoop
    case continueLoop
  }

  /// `{% for target in iterable if condition %}…{% else %}…{% endfor %}`
  struct Loop: Sendable {
    let target: TemplateTarget
    let iterable: TemplateExpression
    let condition: TemplateExpression?
    let body: [TemplateStatement]
    let otherwise: [TemplateStatement]
  }

  let kind: Kind
  /// The line it stands on, from 1.
  let line: Int
}

indirect enum TemplateTarget: Sendable {
  case name(String)
  case tuple([TemplateTarget])
  /// An attribute of a namespace.
  case attribute(of: String, String)
}

struct TemplateMacro: Sendable {
  let name: String
  let parameters: [(name: String, defaultValue: TemplateExpression?)]
  let body: [TemplateStatement]
}
