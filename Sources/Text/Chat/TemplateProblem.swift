import Files

/// What is wrong with a template, or with what it is given; the line is added where it is known.
struct TemplateProblem: Error {
  let message: String
  /// The template's line, from 1; nil until somebody knows.
  var line: Int?

  init(_ message: String, line: Int? = nil) {
    // A template may raise any text.
    let words = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    self.message = words.count > 300 ? words.prefix(300) + "…" : words
    self.line = line
  }

  func error(in name: String) -> SpeculateError {
    SpeculateError("\(name): template line \(line ?? 1): \(message)")
  }
}

/// What a template may cost. Far above what conversations need, and low enough that no template
/// can hang, fill the memory or overflow the stack.
enum TemplateLimits {
  /// Characters of a template.
  static let source = 1 << 20
  /// Nesting of statements and of expressions as they are written.
  static let nesting = 100
  /// Nesting of evaluations, which macros that call themselves add to.
  static let calls = 400
  /// Nesting of lists and mappings.
  static let depth = 200
  /// Bytes of a text, the rendered one included.
  static let text = 1 << 24
  /// Units of work: one for each evaluation and each element of a list, and for 16 bytes of text.
  static let work = 5_000_000
  /// Elements of a `range`, as in Jinja's sandbox.
  static let range = 100_000

  static let tooDeep = TemplateProblem("values are nested deeper than \(depth) levels")
  static let tooLong = TemplateProblem("a text is longer than \(text) bytes")
}
