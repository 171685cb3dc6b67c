import Files
import Foundation
import TestSupport
import Testing
import Text

/// JSON schemas as grammars: whatever they let through is valid by an independent validator.
@Suite struct JSONSchemaTests {
  static let schemas = [
    #"{}"#, "true",
    #"{"type": "object", "properties": {"name": {"type": "string", "maxLength": 6}, "age": {"type": "integer"}}, "required": ["name"]}"#,
    #"{"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"type": "null"}, "c": {"const": "x"}}}"#,
    #"{"type": "object", "properties": {"ab": {"type": "boolean"}, "ac\"d": {"type": "null"}}, "additionalProperties": {"type": "integer", "minimum": 0}}"#,
    #"{"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a", "zz"], "additionalProperties": true}"#,
    #"{"type": "object", "additionalProperties": {"enum": ["x", 1, null, [1, {"y": "é"}]]}}"#,
    #"{"type": "array", "items": {"type": "integer", "minimum": -7, "maximum": 115}, "minItems": 1, "maxItems": 4}"#,
    #"{"type": "array", "prefixItems": [{"type": "string", "maxLength": 2}, {"type": "boolean"}], "items": {"type": "null"}, "maxItems": 4}"#,
    #"{"type": "string", "minLength": 2, "maxLength": 3}"#,
    #"{"type": "string", "pattern": "^[a-c]{2,4}(-\\d+)?$"}"#,
    #"{"type": "string", "pattern": "^\"\\\\[\\t ]$"}"#,
    #"{"type": "number", "minimum": 0, "exclusiveMaximum": 3}"#,
    #"{"type": "number", "exclusiveMinimum": -2, "maximum": 5}"#,
    #"{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}"#,
    #"{"type": "number", "maximum": -3}"#, #"{"type": "number"}"#,
    #"{"type": "integer", "exclusiveMinimum": 9, "maximum": 1024}"#,
    #"{"type": "integer", "minimum": -1000}"#, #"{"type": "integer", "maximum": 0}"#,
    #"{"type": "integer", "minimum": 0.5, "maximum": 2.5}"#,
    #"{"type": ["string", "null", "integer"], "maxLength": 1, "maximum": 5, "minimum": 4}"#,
    #"{"anyOf": [{"type": "integer", "minimum": 5, "maximum": 6}, {"type": "array", "items": false}]}"#,
    #"{"oneOf": [{"const": 1.50}, {"const": "a\nb"}], "title": "either"}"#,
    ##"{"allOf": [{"$ref": "#/$defs/a~1b"}], "$defs": {"a/b": {"enum": [true, false]}}}"##,
    ##"{"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {"v": {"type": "integer", "minimum": 0, "maximum": 9}, "next": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]}}, "required": ["v", "next"]}}}"##,
    ##"{"type": "array", "items": {"$ref": "#"}}"##,
    #"{"minLength": 1, "maxLength": 1}"#, #"{"enum": ["a", 1, true], "type": "string"}"#,
    #"{"type": "object", "properties": {"kind": {"const": "circle"}, "r": {"type": "number", "minimum": 1, "maximum": 9}}, "required": ["r", "kind"], "additionalProperties": false}"#,
  ]

  /// Random texts of each, chosen token by token among those that the mask allows.
  @Test(arguments: schemas) func textsAreValid(_ schema: String) throws {
    let validator = try SchemaValidator(schema)
    let tokenizer = PieceListTokenizer(
      (0x20..<0x7F).map { String(UnicodeScalar(UInt8($0))) }
        + [
          "\": ", "\", \"", "true", "null", "[]", "{}", "12", "é", "漢", "\\u00", "\\n", "🙂", "\"}",
        ],
      special: ["<end>"])
    let grammar = try TokenGrammar(Grammar(.schema(schema)), TokenTrie(tokenizer))
    var texts: Set<String> = []
    for seed in 0..<40 {
      var random = RandomNumbers(seed: UInt64(seed + 7))
      var state = grammar.start
      var bytes: [UInt8] = []
      for step in 0..<4000 {
        if grammar.accepts(state),
          grammar.mustEnd(state) || Int.random(in: 0..<4, using: &random) == 0
        {
          break
        }
        let mask = try grammar.mask(state)
        var allowed = (0..<Token(tokenizer.vocabularySize)).filter(mask.contains)
        try #require(!allowed.isEmpty)
        // Behind some tokens, what closes comes first, so that texts end.
        if step > 30 {
          let closing = allowed.filter { "\"]}".contains(tokenizer.pieces[Int($0)]) }
          if !closing.isEmpty { allowed = closing }
        }
        let token = try #require(allowed.randomElement(using: &random))
        bytes += tokenizer.bytes(of: token)
        state = try #require(try grammar.advance(state, by: token))
      }
      #expect(grammar.accepts(state))
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(validator.accepts(text), "\(text)")
      // Our own reader is strict about halves of surrogate pairs.
      #expect(throws: Never.self) { try JSONText(bytes) }
      texts.insert(text)
    }
    #expect(!texts.isEmpty)
  }

  static let members: [(schema: String, valid: [String], invalid: [String])] = [
    (
      schemas[2],
      [#"{"name": "ab"}"#, #"{"name": "", "age": -12}"#, #"{"name": "\u00e9\n\ud83d\ude42"}"#],
      [
        #"{}"#, #"{"age": 1, "name": "ab"}"#, #"{"name": "abcdefg"}"#,
        #"{"name": "ab", "age": 01}"#,
        #"{"name":"ab"}"#, #"{"name": "\ud83d"}"#, #"{"name": "ab", "x": 1}"#, #"{"name": "a"#,
      ]
    ),
    (
      schemas[3],
      [#"{}"#, #"{"b": null}"#, #"{"a": true, "c": "x"}"#, #"{"a": false, "b": null, "c": "x"}"#],
      [#"{"a": true,}"#, #"{, "b": null}"#, #"{"b": null, "a": true}"#, #"{"c": "y"}"#]
    ),
    (
      schemas[4], [#"{"x": 1}"#, #"{"ab": true, "a": 0, "abc": 5}"#, #"{"ac": 1}"#],
      [#"{"ab": 1}"#, #"{"x": -1}"#, #"{"\u0061b": 1}"#, #"{"x": true}"#]
    ),
    (
      schemas[7], ["[-7]", "[0, 115, 99, 100]", "[-1]"],
      ["[]", "[116]", "[-8]", "[1, 2, 3, 4, 5]", "[1,2]", "[-0]", "[07]"]
    ),
    (
      schemas[8], [#"["a", true]"#, #"["", false, null]"#],
      [#"[]"#, #"["abc", true]"#, #"["a", true, 1]"#]
    ),
    (
      schemas[9], [#""ab""#, #""\"\\x""#, #""漢字""#, #""\ud83d\ude42x""#],
      [#""a""#, #""abcd""#, #""a"#]
    ),
    (schemas[10], [#""ab""#, #""abca-12""#], [#""a""#, #""abd""#, #""ab-""#, #""xab""#]),
    (schemas[12], ["0", "0.5", "2.999", "2"], ["3", "-0.5", "3.0", "1e0", ".5"]),
    (schemas[13], ["-1.5", "0", "5", "-1"], ["-2", "5.1", "6", "-0", "-0.0"]),
    (schemas[14], ["0.5", "0.001"], ["0", "1", "0.0", "0.000", "1.0"]),
    (schemas[15], ["-3", "-3.5", "-400"], ["-2", "-2.9", "3"]),
    (
      schemas[17], ["10", "99", "100", "999", "1000", "1024"],
      ["9", "1025", "1030", "1100", "2000"]
    ),
    (schemas[18], ["-1000", "-999", "0", "123456789"], ["-1001", "-2000"]),
    (schemas[20], ["1", "2"], ["0", "3"]),
    (schemas[21], ["null", "4", "5", #""""#, #""a""#], ["3", "6", #""ab""#]),
    (schemas[22], ["5", "6", "[]"], ["4", "[1]"]),
    (schemas[23], ["1.50", #""a\nb""#], ["1.5", "1"]),
    (
      schemas[25], [#"{"v": 1, "next": null}"#, #"{"v": 1, "next": {"v": 2, "next": null}}"#],
      [#"{"v": 1}"#, #"{"v": 1, "next": {"v": 2}}"#]
    ),
    (schemas[26], ["[]", "[[], [[]]]"], ["[", "[1]"]),
    (schemas[28], [#""a""#], ["1", "true", #""b""#]),
    (
      "{}", [#"{"a": [1, -2.5e-10, true, {}], "b": ""}"#, "null"], [#"{"a":1}"#, "[1 ]", "{a: 1}"]
    ),
    (
      #"{"type": "string", "format": "date"}"#, [#""2024-02-28""#, #""1999-12-31""#],
      [#""2024-02-30""#, #""2024-13-01""#, #""2024-04-31""#]
    ),
    (
      #"{"type": "string", "format": "date-time"}"#,
      [#""2024-02-28T23:59:59Z""#, #""2024-02-28T00:00:00.5+01:30""#],
      [#""2024-02-28""#, #""2024-02-28T24:00:00Z""#]
    ),
    (#"{"type": "string", "format": "email"}"#, [#""a.b@c-d.org""#], [#""a..b@c""#, #""a@""#]),
    (
      #"{"type": "string", "format": "ipv4"}"#, [#""255.0.10.199""#],
      [#""256.0.0.1""#, #""01.2.3.4""#]
    ),
    (
      #"{"type": "integer", "format": "int32"}"#, ["2147483647", "-2147483648"],
      ["2147483648", "-2147483649"]
    ),
  ]

  @Test(arguments: members.indices) func aSchemaAllowsWhatItSays(_ index: Int) throws {
    let (schema, valid, invalid) = Self.members[index]
    let grammar = try GrammarTests.bytewise(.schema(schema))
    for text in valid { #expect(try GrammarTests.allows(grammar, text), "\(text) of \(schema)") }
    for text in invalid { #expect(try !GrammarTests.allows(grammar, text), "\(text) of \(schema)") }
  }

  /// All whole numbers between bounds, and none else, however the bounds lie.
  @Test func boundsAreExact() throws {
    var random = RandomNumbers(seed: 5)
    for _ in 0..<40 {
      let least = Int.random(in: -1200...1200, using: &random)
      let most = least + Int.random(in: 0...1500, using: &random)
      let grammar = try GrammarTests.bytewise(
        .schema(#"{"type": "integer", "minimum": \#(least), "maximum": \#(most)}"#))
      for number in stride(from: -1300, through: 2800, by: 1)
      where number % 7 == 0 || abs(number - least) < 3 || abs(number - most) < 3 {
        #expect(
          try GrammarTests.allows(grammar, "\(number)") == (least...most).contains(number),
          "\(number) in \(least)...\(most)")
      }
    }
  }

  @Test func anObjectMayBeSetFreely() throws {
    let grammar = try GrammarTests.bytewise(.jsonObject)
    for text in [
      "{}", #"{"a":1}"#, #"{ "a" : [1, 2 ,{}], "b":"c" }"#,
      "{\n  \"a\": {\n    \"b\": null\n  }\n}",
    ] { #expect(try GrammarTests.allows(grammar, text)) }
    for text in ["", "[]", "1", #"{"a"}"#, #"{"a":1,}"#, "{} ", " {}", #"{"a":01}"#, "{'a':1}"] {
      #expect(try !GrammarTests.allows(grammar, text))
    }
  }

  static let mistakes: [(schema: String, error: String)] = [
    (
      "{",
      "the JSON schema is not valid JSON at byte 1: \"\"\" should stand here, but the document ends; correct it"
    ),
    ("1", "the JSON schema: # is no schema; give an object"),
    ("false", "the JSON schema: # \"false\" allows no value"),
    (
      #"{"type": "object", "properties": {"a": {"multipleOf": 3}}}"#,
      "the JSON schema: #/properties/a/multipleOf is not supported; leave it out, or say it in words"
    ),
    (
      #"{"type": "array", "items": {"not": {}}}"#,
      "the JSON schema: #/items/not is not supported; leave it out, or say it in words"
    ),
    (#"{"type": "text"}"#, "the JSON schema: #/type knows no type \"text\""),
    (#"{"type": []}"#, "the JSON schema: #/type is neither a type nor a list of types"),
    (
      #"{"$ref": "http://example.org/a"}"#,
      "the JSON schema: #/$ref is no reference within the schema, like \"#/$defs/name\""
    ),
    (
      ##"{"$ref": "#/$defs/b", "$defs": {}}"##,
      "the JSON schema: #/$ref \"#/$defs/b\" names nothing in the schema"
    ),
    (
      ##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}"##,
      "the grammar describes no finite text: give its recursion a way to end"
    ),
    (
      ##"{"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}"##,
      "the grammar describes no finite text: give its recursion a way to end"
    ),
    (
      ##"{"anyOf": [{"$ref": "#"}, {"type": "null"}]}"##,
      "the rule \"#\" begins with itself: write repetitions as (…)* or let the rule come last"
    ),
    (
      #"{"anyOf": [{}], "minLength": 1}"#,
      "the JSON schema: #/minLength is not supported beside \"anyOf\"; write both as one schema"
    ),
    (
      #"{"type": "string", "pattern": "(?=a)b"}"#,
      "the JSON schema: #/pattern \"(?=a)b\" can't be used: at character 1: groups that begin with \"(?\" are not supported, but for \"(?:\""
    ),
    (
      #"{"type": "string", "pattern": "a(b"}"#,
      "the JSON schema: #/pattern \"a(b\" can't be used: at character 3: a group is not closed"
    ),
    (
      #"{"type": "string", "pattern": "a", "minLength": 1}"#,
      "the JSON schema: #/minLength is not supported beside \"pattern\"; say it in the pattern"
    ),
    (
      #"{"type": "string", "format": "regex"}"#,
      "the JSON schema: #/format \"regex\" is not supported; use one of date, date-time, email, hostname, ipv4, ipv6, time, uri, uuid, or leave it out"
    ),
    (
      #"{"type": "array", "minItems": -1}"#, "the JSON schema: #/minItems is no count of 0 to 65536"
    ),
    (
      #"{"type": "array", "minItems": 3, "maxItems": 2}"#,
      "the JSON schema: #/minItems is more than \"maxItems\", so that no value is valid"
    ),
    (
      #"{"type": "number", "minimum": 0.5}"#,
      "the JSON schema: #/minimum is supported for whole bounds only; round it inwards"
    ),
    (#"{"type": "integer", "minimum": 1e300}"#, "the JSON schema: #/minimum is out of range"),
    (
      #"{"type": "integer", "minimum": 5, "maximum": 4}"#,
      "the grammar describes no finite text: give its recursion a way to end"
    ),
    (
      #"{"oneOf": [{"type": "string"}, {"type": "number"}, {"type": "integer"}]}"#,
      "the JSON schema: #/oneOf may hold twice, by its schemas 1 and 2; write anyOf, or give both a required property that has another \"const\" in each"
    ),
    (#"{"enum": []}"#, "the JSON schema: #/enum allows no value"),
    (#"{"enum": [1], "type": "string"}"#, "the JSON schema: #/enum allows no value"),
    (
      #"{"required": ["a"], "additionalProperties": false}"#,
      "the JSON schema: #/required names \"a\", which \"additionalProperties\" forbids"
    ),
    (
      #"{"type": "string", "maxLength": 60000, "minLength": 60000, "pattern": "a{60000}"}"#,
      "the JSON schema: #/minLength is not supported beside \"pattern\"; say it in the pattern"
    ),
    (
      #"{"type": "array", "items": {"type": "array", "minItems": 60000, "items": {"type": "string"}}, "minItems": 65000, "maxItems": 65001, "prefixItems": []}"#,
      "the grammar is too large: use smaller counts of repetitions, or fewer rules"
    ),
  ]

  @Test(arguments: mistakes.indices) func mistakesAreNamed(_ index: Int) throws {
    let (schema, error) = Self.mistakes[index]
    #expect(throws: SpeculateError(error)) { try Grammar(.schema(schema)) }
  }

  /// `oneOf` is refused unless a reason is seen why no value is valid by two of its schemas.
  @Test func oneOfWantsSchemasThatExcludeEachOther() throws {
    func oneOf(_ schemas: String..., more: String = "") -> String {
      "{\"oneOf\": [\(schemas.joined(separator: ", "))]\(more)}"
    }
    func tagged(_ tag: String, required: Bool = true) -> String {
      #"{"type": "object", "properties": {"kind": {"const": "\#(tag)"}}"#
        + (required ? #", "required": ["kind"]}"# : "}")
    }
    let accepted = [
      oneOf(#"{"type": "string"}"#, #"{"type": ["null", "integer"]}"#),
      oneOf(#"{"const": 1}"#, #"{"enum": [2, "1"]}"#), oneOf(#"{"const": true}"#, "{\"const\": 1}"),
      oneOf(tagged("a"), tagged("b"), tagged("c")),
      oneOf(tagged("a"), tagged("b", required: false)),
      oneOf(
        ##"{"$ref": "#/$defs/a"}"##, ##"{"$ref": "#/$defs/b"}"##,
        more: ", \"$defs\": {\"a\": \(tagged("a")), \"b\": \(tagged("b"))}"),
      oneOf(
        #"{"type": "object", "properties": {"x": {}}, "required": ["x"]}"#,
        #"{"type": "object", "properties": {"y": {}}, "additionalProperties": false}"#),
      oneOf(
        #"{"type": "integer", "maximum": 4}"#, #"{"type": "number", "exclusiveMinimum": 4}"#),
      oneOf(#"{"anyOf": [{"type": "null"}, {"const": 3}]}"#, #"{"type": "string"}"#),
      oneOf(#"{"type": "string"}"#),
    ]
    for schema in accepted { _ = try Grammar(.schema(schema)) }
    let refused = [
      oneOf(#"{"type": "number"}"#, #"{"type": "integer"}"#), oneOf("{}", #"{"type": "null"}"#),
      oneOf(#"{"const": 1}"#, #"{"const": 1.0}"#), oneOf(#"{"const": [1]}"#, #"{"const": [2]}"#),
      oneOf(#"{"const": 3}"#, #"{"type": "integer"}"#),
      oneOf(tagged("a", required: false), tagged("b", required: false)),
      oneOf(tagged("a"), tagged("a")),
      oneOf(#"{"type": "object", "properties": {"x": {}}, "required": ["x"]}"#, tagged("a")),
      oneOf(#"{"type": "integer", "maximum": 4}"#, #"{"type": "number", "minimum": 4}"#),
      oneOf(#"{"type": "string", "maxLength": 1}"#, #"{"type": "string", "minLength": 2}"#),
      oneOf(#"{"maxLength": 1}"#, #"{"type": "number"}"#),
      ##"{"oneOf": [{"$ref": "#"}, {"$ref": "#"}]}"##,
    ]
    for schema in refused {
      #expect(throws: SpeculateError.self, "\(schema)") { try Grammar(.schema(schema)) }
    }
    // Many schemas end in an answer, too.
    let many = (0..<150).map { tagged("t\($0)") }.joined(separator: ", ")
    _ = try Grammar(.schema("{\"oneOf\": [\(many)]}"))
  }

  /// No depth of references fills the stack.
  @Test func longChainsOfReferences() throws {
    let count = 20_000
    let defs = (0..<count).map { "\"d\($0)\": {\"$ref\": \"#/$defs/d\($0 + 1)\"}" }.joined(
      separator: ",")
    let schema =
      "{\"$ref\": \"#/$defs/d0\", \"$defs\": {\(defs), \"d\(count)\": {\"type\": \"null\"}}}"
    let grammar = try GrammarTests.bytewise(.schema(schema))
    #expect(try GrammarTests.allows(grammar, "null"))
  }
}
