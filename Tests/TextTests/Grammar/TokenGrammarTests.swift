import Files
import TestSupport
import Testing
import Text

/// Grammars over the tokens of published tokenizers: byte-level pairs, pieces with bytes, and others.
@Suite struct TokenGrammarTests {
  /// A token is in a mask exactly if its bytes go on from there, in texts of all kinds.
  @Test(arguments: TokenizerFixtureTests.names + TokenizerFixtureTests.pipelines)
  func masksAreOfTheTokensBytes(_ name: String) throws {
    let tokenizer = try TokenizerFixtureTests.tokenizer(name)
    let trie = TokenTrie(tokenizer)
    let bytes = TokenTrie(MarkupTokenizer())
    for source in [
      Grammar.Source.rules("root ::= .{2,}"), .rules("root ::= [a-z ]+ | [^a-z]"), .jsonObject,
      .schema(#"{"type": "string", "maxLength": 3}"#),
    ] {
      let grammar = try TokenGrammar(Grammar(source), trie)
      let spelled = try TokenGrammar(Grammar(source), bytes)
      let mask = try grammar.mask(grammar.start)
      for token in 0..<Token(tokenizer.vocabularySize) {
        let own = tokenizer.bytes(of: token)
        var state: Int32? = spelled.start
        for byte in own { state = try state.flatMap { try spelled.advance($0, by: Token(byte)) } }
        let isAllowed = !own.isEmpty && !tokenizer.isSpecial(token) && state != nil
        #expect(mask.contains(token) == isAllowed, "\(token) of \(name)")
        #expect(try (grammar.advance(grammar.start, by: token) != nil) == isAllowed)
      }
    }
  }

  /// What is forced is spelled without what tokenizers put in front of texts.
  @Test(arguments: TokenizerFixtureTests.names + TokenizerFixtureTests.pipelines)
  func forcedTextIsSpelled(_ name: String) throws {
    let tokenizer = try TokenizerFixtureTests.tokenizer(name)
    let text = "a b, abc: \"a\" "
    let grammar = try TokenGrammar(Grammar(.texts([text])), TokenTrie(tokenizer))
    let bytes = try grammar.forcedTokens(grammar.start).flatMap { tokenizer.bytes(of: $0) }
    #expect(text.utf8.starts(with: bytes))
    // A vocabulary may lack a character; then it ends there.
    if bytes.count < text.utf8.count {
      let next = Array(text.utf8)[bytes.count]
      let isSpelled = (0..<Token(tokenizer.vocabularySize)).contains {
        !tokenizer.isSpecial($0) && tokenizer.bytes(of: $0) == [next]
      }
      #expect(!isSpelled)
    }
  }
}
