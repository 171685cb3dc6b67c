/// What a rule of a grammar stands for: a set of byte strings.
indirect enum GrammarExpression: Equatable, Sendable {
  /// These bytes; none of them are the empty text.
  case bytes([UInt8])
  /// One character of these ranges of scalar values, in UTF-8.
  case scalars([ClosedRange<UInt32>])
  case sequence([GrammarExpression])
  case choice([GrammarExpression])
  /// At least `least` times, and at most `most` times where there is such a limit.
  case repeated(GrammarExpression, least: Int, most: Int?)
  /// What the rule with this number stands for.
  case rule(Int)

  static let empty = bytes([])

  static func text(_ text: String) -> Self { bytes(Array(text.utf8)) }

  static func optional(_ expression: Self) -> Self { repeated(expression, least: 0, most: 1) }

  static let lastScalar: UInt32 = 0x10FFFF

  /// A special token as the grammar's bytes spell it: between two bytes that no text holds, so that text
  /// never stands for it.
  static func mark(_ spelling: String) -> Self { bytes(GrammarMark.bytes(of: spelling)) }
}

/// Special tokens in the bytes of a grammar.
enum GrammarMark {
  /// What a mark begins and ends with; neither is a byte of UTF-8.
  static let opening: UInt8 = 0xFF
  static let closing: UInt8 = 0xFE

  static func bytes(of spelling: String) -> [UInt8] {
    [opening] + Array(spelling.utf8) + [closing]
  }
}

/// The rules of a grammar as they were written.
struct GrammarRules: Sendable {
  /// What errors call each rule: [rules].
  var names: [String] = []
  /// What each stands for: [rules].
  var bodies: [GrammarExpression] = []
  var root = 0

  /// Adds a rule, whose body may be set later.
  mutating func add(_ name: String, _ body: GrammarExpression = .empty) -> Int {
    names.append(name)
    bodies.append(body)
    return names.count - 1
  }
}
