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
    /// `*values`, behind the positional ones.
    var unpacked: TemplateExpression?
    /// `**mapping`, behind the named ones.
    var unpackedNamed: TemplateExpression?
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
    /// `{% call(parameters) macro(arguments) %}…{% endcall %}`, whose body the macro calls as `caller`.
    case callBlock(TemplateExpression, TemplateMacro)
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
    /// Whether the body may call the loop, `loop(iterable)`.
    let isRecursive: Bool
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
  /// A name that is something special in a macro that uses it.
  enum Use: String, Sendable {
    /// The body of a call block.
    case caller
    /// Values beyond the parameters.
    case arguments = "varargs"
    /// Named values that are no parameters.
    case namedArguments = "kwargs"
  }

  typealias Parameter = (name: String, defaultValue: TemplateExpression?)

  let name: String
  let parameters: [Parameter]
  let body: [TemplateStatement]
  let uses: Set<Use>
}
