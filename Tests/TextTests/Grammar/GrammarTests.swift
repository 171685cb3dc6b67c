import Files
import TestSupport
import Testing
import Text

/// Grammars against brute force: every text of a few letters is of the grammar exactly if a matcher that knows
/// nothing but the rules says so.
@Suite struct GrammarTests {
  private static let letters: [Character] = ["a", "b", "c"]

  /// All texts of up to so many letters.
  static func texts(_ most: Int) -> [[Character]] {
    var all: [[Character]] = [[]]
    var last = all
    for _ in 0..<most {
      last = last.flatMap { text in letters.map { text + [$0] } }
      all += last
    }
    return all
  }

  /// Whether a grammar allows a text, asked byte by byte.
  static func allows(_ grammar: TokenGrammar, _ text: String) throws -> Bool {
    var state = grammar.start
    for byte in text.utf8 {
      guard let next = try grammar.advance(state, by: Token(byte)) else { return false }
      state = next
    }
    return grammar.accepts(state)
  }

  static let bytes = TokenTrie(MarkupTokenizer())

  static func bytewise(_ source: Grammar.Source) throws -> TokenGrammar {
    try TokenGrammar(Grammar(source), bytes)
  }

  @Test(arguments: 0..<8) func rulesAllowWhatTheySay(_ seed: Int) throws {
    var random = RandomNumbers(seed: UInt64(seed + 1))
    let texts = Self.texts(5)
    var (grammars, accepted) = (0, 0)
    while grammars < 20 {
      let count = Int.random(in: 1...4, using: &random)
      let rules = (0..<count).map {
        GrammarSketch.random(depth: 3, rule: $0, rules: count, using: &random)
      }
      let gbnf = GrammarSketch.gbnf(rules)
      let expected = texts.map { GrammarSketch.match(rules, $0) }
      let grammar: TokenGrammar
      do {
        grammar = try Self.bytewise(.rules(gbnf))
      } catch let error as SpeculateError {
        // It may describe only endless texts.
        #expect(error.description.contains("no finite text") && !expected.contains(true), "\(gbnf)")
        continue
      }
      grammars += 1
      for (text, isOne) in zip(texts, expected) {
        #expect(try Self.allows(grammar, String(text)) == isOne, "\(String(text)) of \(gbnf)")
        accepted += isOne ? 1 : 0
      }
    }
    #expect(accepted > 30)
  }

  /// The mask of a place holds exactly the tokens that keep a text possible, whatever their bytes.
  @Test(arguments: 0..<2) func masksHoldWhatKeepsATextPossible(_ seed: Int) throws {
    var random = RandomNumbers(seed: UInt64(seed + 100))
    let tokenizer = PieceListTokenizer(
      ["a", "b", "c", "ab", "ba", "abc", "cc", "bca", "aab", "ab", "", "cab"], special: ["<x>"])
    let trie = TokenTrie(tokenizer)
    let texts = Self.texts(8)
    for _ in 0..<4 {
      let count = Int.random(in: 1...3, using: &random)
      // Without repetitions without end, so that all texts can be listed.
      let rules = (0..<count).map { index in
        GrammarSketch.sequence([
          .repeated(.letters("ab", isExcluded: false), 0, 2),
          .choice([.text("c"), index + 1 < count ? .rule(index + 1) : .text("a")]),
          .repeated(.choice([.text("ca"), .text("b")]), 0, Int.random(in: 0...1, using: &random)),
        ])
      }
      let grammar = try TokenGrammar(Grammar(.rules(GrammarSketch.gbnf(rules))), trie)
      let whole = texts.filter { GrammarSketch.match(rules, $0) }.map { String($0) }
      #expect(!whole.isEmpty)
      for text in texts where text.count <= 3 {
        var state: Int32? = grammar.start
        for letter in text {
          let token = try #require(tokenizer.id(of: String(letter)))
          state = try state.flatMap { try grammar.advance($0, by: token) }
        }
        guard let state else {
          #expect(!whole.contains { $0.hasPrefix(String(text)) })
          continue
        }
        let mask = try grammar.mask(state)
        for token in 0..<Token(tokenizer.vocabularySize) {
          let piece = String(decoding: tokenizer.bytes(of: token), as: UTF8.self)
          let isPossible =
            !piece.isEmpty && whole.contains { $0.hasPrefix(String(text) + piece) }
          #expect(mask.contains(token) == isPossible, "\(piece) behind \(String(text))")
        }
        #expect(grammar.accepts(state) == whole.contains(String(text)))
      }
    }
  }

  /// What a mask costs is bounded by the vocabulary, and the second look is free.
  @Test func aMaskWalksTheVocabularyOnce() throws {
    let tokenizer = PieceListTokenizer(
      (0..<3000).map { String($0, radix: 26) + String($0 * 7919, radix: 36) }, special: [])
    let trie = TokenTrie(tokenizer)
    let bytes = (0..<3000).reduce(0) { $0 + tokenizer.bytes(of: Token($1)).count }
    for source in [Grammar.Source.rules("root ::= [^x]*"), .jsonObject, .pattern("(1|2|a+)*")] {
      let grammar = try TokenGrammar(Grammar(source), trie)
      _ = try grammar.mask(grammar.start)
      let visited = grammar.visited
      #expect(visited > 0 && visited <= bytes)
      _ = try grammar.mask(grammar.start)
      #expect(grammar.visited == visited)
    }
  }

  @Test func charactersAreBytesOfUTF8() throws {
    let grammar = try Self.bytewise(
      .rules(#"root ::= "ä" [α-ω]{2} [^a-z\x00-\x1F] . [\U0001F600-\U0001F64F]"#))
    #expect(try Self.allows(grammar, "äαω7x😀"))
    #expect(try Self.allows(grammar, "äββ漢\u{10FFFF}😎"))
    #expect(try !Self.allows(grammar, "äαωax😀"))
    #expect(try !Self.allows(grammar, "äα\u{7FF}7x😀"))
    // Half a character is no character.
    var state = grammar.start
    state = try #require(try grammar.advance(state, by: 0xC3))
    #expect(try grammar.advance(state, by: 0x20) == nil)
    // Surrogates are none.
    let any = try Self.bytewise(.rules("root ::= ."))
    let half = try #require(try any.advance(any.start, by: 0xED))
    #expect(try any.advance(half, by: 0xA0) == nil)
    #expect(try any.advance(half, by: 0x9F) != nil)
    for value in stride(from: UInt32(1), to: 0x110000, by: 97) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      #expect(try Self.allows(any, String(scalar)))
    }
  }

  @Test func rulesMayBeSpreadOverLines() throws {
    let grammar = try Self.bytewise(
      .rules(
        """
        # lists
        root ::= "[" ( item
            ("," item)*   # the others
        )? "]"

        item ::=
          [0-9]{1,3} |
          root
          | "\\"" [^"\\n]* "\\""
        """))
    for text in ["[]", "[1,22,333]", "[[1],[],\"a b\"]"] { #expect(try Self.allows(grammar, text)) }
    for text in ["", "[1,]", "[1234]", "[\"a\nb\"]", "[1"] {
      #expect(try !Self.allows(grammar, text))
    }
  }

  static let mistakes: [(gbnf: String, error: String)] = [
    ("", "the grammar has no rule \"root\": name the rule to begin with so"),
    ("start ::= \"a\"", "the grammar has no rule \"root\": name the rule to begin with so"),
    ("root ::= item", "the grammar has no rule \"item\", but another one names it"),
    ("root \"a\"", "the grammar's line 1: \"::=\" should stand behind \"root\""),
    ("\n\n*", "the grammar's line 3: a rule's name should stand here"),
    ("root ::= \"a\nb", "the grammar's line 1: a text without end"),
    ("root ::= [a-", "the grammar's line 1: a class of characters without end"),
    ("root ::= [z-a]", "the grammar's line 1: a range of characters is the wrong way round"),
    ("root ::= (\"a\"", "the grammar's line 1: a parenthesis is not closed"),
    ("root ::= \"a\")", "the grammar's line 1: \")\" can't stand here"),
    ("root ::= \"\\q\"", "the grammar's line 1: \"\\q\" stands for no character"),
    ("root ::= \"\\x4\"", "the grammar's line 1: 2 hexadecimal digits should stand here"),
    ("root ::= \"\\uD800\"", "the grammar's line 1: no character has the number d800"),
    ("root ::= \"a\"{3,2}", "the grammar's line 1: {3,2} is the wrong way round"),
    ("root ::= \"a\"{x}", "the grammar's line 1: a count should stand here"),
    ("root ::= \"a\"{1", "the grammar's line 1: \"}\" should stand behind a count"),
    (
      "root ::= \"a\"{99999999999999999999}",
      "the grammar's line 1: \"99999999999999999999\" is too large a count; use at most 65536"
    ),
    ("root ::= \"a\"\nroot ::= \"b\"", "the grammar's line 2: the rule \"root\" is there already"),
    (
      "root ::= root \"a\" | \"b\"",
      "the rule \"root\" begins with itself: write repetitions as (…)* or let the rule come last"
    ),
    (
      "root ::= a\na ::= b? c\nb ::= \"x\"\nc ::= \"\" a \"y\" | \"z\"",
      "the rule \"a\" begins with itself: write repetitions as (…)* or let the rule come last"
    ),
    (
      "root ::= \"a\" root",
      "the grammar describes no finite text: give its recursion a way to end"
    ),
    (
      "root ::= ((([a-z]{1000}){1000}){1000}){1000}",
      "the grammar is too large: use smaller counts of repetitions, or fewer rules"
    ),
    (
      "root ::= (\"a\"?){60000}",
      "the grammar is too large: use smaller counts of repetitions, or fewer rules"
    ),
    ("root ::= \"a\"*****?", "the grammar's line 1: more than 4 repetitions of repetitions"),
    ("root ::= <[1]>", "the grammar's line 1: \"<\" can't stand here"),
  ]

  @Test(arguments: mistakes.indices) func mistakesAreNamed(_ index: Int) throws {
    let (gbnf, error) = Self.mistakes[index]
    #expect(throws: SpeculateError(error)) { try Grammar(.rules(gbnf)) }
  }

  @Test func deepParenthesesAreRefused() throws {
    let deep = String(repeating: "(", count: 100_000)
    #expect(
      throws: SpeculateError("the grammar's line 1: parentheses are nested deeper than 64 levels")
    ) { try Grammar(.rules("root ::= \(deep)")) }
  }

  /// Grammars that other engines hang on: each question has an answer, or an error of one line.
  @Test func hostileGrammarsEnd() throws {
    for gbnf in [
      // Every way to cut the text is a way to read it.
      "root ::= (\"a\" | \"aa\" | \"aaa\" | \"a\" root | \"a\" root root)*",
      "root ::= \"a\" root root root | \"a\"",
      "root ::= x{0,300}\nx ::= \"a\"{0,20} y\ny ::= \"a\" y | \"a\"",
      "root ::= a a a a a a a a\na ::= b b b b\nb ::= c c c\nc ::= [ab]* d?\nd ::= \"a\" root?",
      "root ::= (" + (1...400).map { "[ab]{\($0)}" }.joined(separator: " | ") + ")+",
    ] {
      do {
        let grammar = try Self.bytewise(.rules(gbnf))
        var state = grammar.start
        for _ in 0..<60 {
          try grammar.trim()
          let mask = try grammar.mask(state)
          #expect(mask.contains(Token(UInt8(ascii: "a"))))
          guard grammar.epoch == 0,
            let next = try grammar.advance(state, by: Token(UInt8(ascii: "a")))
          else { break }
          state = next
        }
      } catch let error as SpeculateError {
        #expect(error.description.hasPrefix("the grammar is too "))
        #expect(!error.description.contains("\n"))
      }
    }
  }

  @Test func whatIsForcedIsSpelledAsTheTokenizerDoes() throws {
    let pieces = [
      "{", "\"", "name", "\":", "{\"", " ", " \"", "a", "b", "}", "n", "e", "m", ":", "\"}",
    ]
    let tokenizer = PieceListTokenizer(pieces, special: ["<end>"])
    let trie = TokenTrie(tokenizer)
    let grammar = try TokenGrammar(
      Grammar(.rules(#"root ::= "{\"name\": \"" [ab]* "\"}""#)), trie)
    let forced = try grammar.forcedTokens(grammar.start)
    let own = tokenizer.encode("{\"name\": \"", addSpecial: false, parseSpecial: false)
    #expect(forced == own)
    var state = grammar.start
    for token in forced { state = try #require(try grammar.advance(state, by: token)) }
    #expect(try grammar.forcedTokens(state) == [])
    let quote = try #require(tokenizer.id(of: "\""))
    state = try #require(try grammar.advance(state, by: quote))
    #expect(try grammar.forcedTokens(state) == [tokenizer.id(of: "}")])
    // Of several texts one token may be the only one that fits.
    let narrow = try TokenGrammar(Grammar(.rules(#"root ::= "a" | "é""#)), trie)
    #expect(try narrow.forcedTokens(narrow.start) == [tokenizer.id(of: "a")])
  }

  /// A special token is allowed where the grammar says so and nowhere else, however it is spelled.
  @Test func noTextIsASpecialToken() throws {
    let grammar = try Self.bytewise(.rules("root ::= .*"))
    let mask = try grammar.mask(grammar.start)
    #expect(!mask.contains(300) && !mask.contains(301))
    #expect(mask.contains(Token(UInt8(ascii: "<"))))
    let calls = try Self.bytewise(
      .calls(
        CallForm(
          callBefore: [.mark("<u>")], middle: [.text("(")], callAfter: [.text(")")],
          isRepeated: false),
        [CalledFunction(name: "f", parameters: nil, place: "f")]))
    #expect(try calls.mask(calls.start).count == 1 && calls.mask(calls.start).first == 300)
    #expect(try calls.forcedTokens(calls.start) == [300] + "f({})".utf8.map { Token($0) })
  }

  /// States that were forgotten are found again by whoever walks from the start.
  @Test func statesAreForgottenInTime() throws {
    let grammar = try TokenGrammar(
      Grammar(.rules("root ::= [a-z]{6000}")), Self.bytes, memory: 10_000)
    var state = grammar.start
    var letters = 0
    while grammar.epoch == 0, letters < 6000 {
      state = try #require(try grammar.advance(state, by: 97))
      letters += 1
      try grammar.trim()
    }
    #expect(grammar.epoch == 1)
    var again = grammar.start
    for _ in 0..<letters { again = try #require(try grammar.advance(again, by: 97)) }
    #expect(try grammar.mask(again).count == 26)
  }
}
