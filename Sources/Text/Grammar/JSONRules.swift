import Files

/// The rules of JSON's own values (RFC 8259), made when they are asked for.
///
/// Numbers are as long as a double is exact to, and never out of its range; an escape is never half of a
/// surrogate pair. What is written can be read by any parser.
struct JSONRules {
  /// What stands between the parts of arrays and objects.
  enum Spacing {
    /// `{"a": 1, "b": [2]}`, as Python's `json.dumps` writes it: nothing is left to choose.
    case usual
    /// Blanks and lines as a person or a model sets them, in bounds.
    case free
  }

  var rules = GrammarRules()
  private let spacing: Spacing
  private var known: [String: Int] = [:]

  init(_ spacing: Spacing) { self.spacing = spacing }

  /// The rule of a name, whose body is made once.
  mutating func rule(
    _ name: String, _ body: (inout JSONRules) throws(SpeculateError) -> GrammarExpression
  ) throws(SpeculateError) -> GrammarExpression {
    if let number = known[name] { return .rule(number) }
    let number = rules.add(name)
    known[name] = number
    let own = try body(&self)
    rules.bodies[number] = own
    return .rule(number)
  }

  private mutating func rule(
    named name: String, _ body: (inout JSONRules) -> GrammarExpression
  ) -> GrammarExpression {
    if let number = known[name] { return .rule(number) }
    let number = rules.add(name)
    known[name] = number
    let own = body(&self)
    rules.bodies[number] = own
    return .rule(number)
  }

  /// Blanks where JSON allows them.
  var blank: GrammarExpression {
    switch spacing {
    case .usual: .empty
    case .free:
      .optional(
        .choice([
          .text(" "),
          .sequence([
            .repeated(.text("\n"), least: 1, most: 2),
            .repeated(.scalars([0x9...0x9, 0x20...0x20]), least: 0, most: 20),
          ]),
        ]))
    }
  }

  /// What stands between two elements.
  var comma: GrammarExpression {
    spacing == .usual ? .text(", ") : .sequence([blank, .text(","), blank])
  }

  /// What stands between the name of a member and its value.
  var colon: GrammarExpression {
    spacing == .usual ? .text(": ") : .sequence([blank, .text(":"), blank])
  }

  /// Any value.
  mutating func value() -> GrammarExpression {
    rule(named: "value") {
      .choice([
        $0.object(), $0.array(), $0.string(), $0.number(), .text("true"), .text("false"),
        .text("null"),
      ])
    }
  }

  /// Any object.
  mutating func object() -> GrammarExpression {
    rule(named: "object") { rules in
      let member = rules.rule(named: "member") {
        .sequence([$0.string(), $0.colon, $0.value()])
      }
      return rules.list("{", member, "}", least: 0, most: nil)
    }
  }

  /// Any array.
  mutating func array() -> GrammarExpression {
    rule(named: "array") { rules in
      let value = rules.value()
      return rules.list("[", value, "]", least: 0, most: nil)
    }
  }

  /// Elements in brackets.
  func list(
    _ opening: String, _ element: GrammarExpression, _ closing: String, least: Int, most: Int?
  ) -> GrammarExpression {
    .sequence([
      .text(opening), blank, elements(element, least: least, most: most), blank, .text(closing),
    ])
  }

  /// Elements with commas between them.
  func elements(_ element: GrammarExpression, least: Int, most: Int?) -> GrammarExpression {
    guard most != 0 else { return .empty }
    let list = GrammarExpression.sequence([
      element,
      .repeated(
        .sequence([comma, element]), least: max(0, least - 1), most: most.map { $0 - 1 }),
    ])
    return least == 0 ? .optional(list) : list
  }

  /// Any string.
  mutating func string() -> GrammarExpression { string(least: 0, most: nil) }

  /// A string of so many characters.
  mutating func string(least: Int, most: Int?) -> GrammarExpression {
    let character = rule(named: "character") { _ in
      Self.character(ScalarRanges.all, canBeEscaped: true)
    }
    guard least > 0 || most != nil else {
      return rule(named: "string") { _ in
        .sequence([.text("\""), .repeated(character, least: 0, most: nil), .text("\"")])
      }
    }
    return .sequence([.text("\""), .repeated(character, least: least, most: most), .text("\"")])
  }

  /// One of some characters, as it stands in a string.
  ///
  /// - Parameter canBeEscaped: whether each may also be written as an escape that it doesn't need.
  static func character(
    _ ranges: [ClosedRange<UInt32>], canBeEscaped: Bool = false
  ) -> GrammarExpression {
    let plain: [ClosedRange<UInt32>] = [
      0x20...0x21, 0x23...0x5B, 0x5D...GrammarExpression.lastScalar,
    ]
    var parts: [GrammarExpression] = [.scalars(ScalarRanges.common(ranges, plain))]
    if canBeEscaped {
      parts.append(
        .sequence([.text("\\"), .choice([.scalars(one(of: "\"\\/bfnrt")), hexadecimal])]))
      return .choice(parts)
    }
    for range in ScalarRanges.common(ranges, [0...0x1F, 0x22...0x22, 0x5C...0x5C]) {
      for value in range {
        guard let scalar = Unicode.Scalar(value) else { continue }
        parts.append(.text(String(jsonLiteral(String(scalar)).dropFirst().dropLast())))
      }
    }
    return .choice(parts)
  }

  private static func one(of characters: String) -> [ClosedRange<UInt32>] {
    characters.unicodeScalars.map { $0.value...$0.value }
  }

  /// `u` and four digits, or two of them for a pair of surrogates.
  private static var hexadecimal: GrammarExpression {
    let digit = GrammarExpression.scalars([0x30...0x39, 0x41...0x46, 0x61...0x66])
    let d = GrammarExpression.scalars(one(of: "dD"))
    return .choice([
      .sequence([
        .text("u"), .scalars([0x30...0x39, 0x41...0x43, 0x45...0x46, 0x61...0x63, 0x65...0x66]),
        digit, digit, digit,
      ]),
      .sequence([.text("u"), d, .scalars([0x30...0x37]), digit, digit]),
      .sequence([
        .text("u"), d, .scalars([0x38...0x39, 0x41...0x42, 0x61...0x62]), digit, digit,
        .text("\\u"),
        d, .scalars([0x43...0x46, 0x63...0x66]), digit, digit,
      ]),
    ])
  }

  /// Any number.
  mutating func number() -> GrammarExpression {
    rule(named: "number") { rules in
      let integer = rules.integer()
      return .sequence([
        integer, .optional(JSONNumbers.fraction),
        .optional(
          .sequence([
            .scalars(Self.one(of: "eE")), .optional(.scalars(Self.one(of: "+-"))),
            .repeated(.scalars(ScalarRanges.digits), least: 1, most: 2),
          ])),
      ])
    }
  }

  /// Any whole number that fits 64 bits.
  mutating func integer() -> GrammarExpression {
    rule(named: "integer") { _ in JSONNumbers.integers(.init()) }
  }
}
