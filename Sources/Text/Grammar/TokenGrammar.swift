package import Files

/// A grammar over the tokens of a vocabulary: which may come next, and what is certain to come.
///
/// What it finds out it keeps for later questions, so it belongs to one thread at a time. Sequences of
/// the same grammar share it.
package final class TokenGrammar {
  private let states: GrammarStates
  package let trie: TokenTrie
  private var masks: [Int32: TokenMask] = [:]
  private var forced: [Int32: [Token]] = [:]
  /// The state at each depth of a walk: scratch.
  private var path: [Int32]
  /// Nodes of the tree that masks were computed with, for tests of their cost.
  package private(set) var visited = 0

  /// 32 MB.
  package static let usualMemory = 4 << 20
  /// Masks that are kept: 8 MB for a vocabulary of 128 K.
  private static let mostMasks = 512
  /// Bytes of a text that are drafted at once.
  private static let mostForced = 256

  /// - Parameter memory: words of memory behind which what was found out is forgotten now and then.
  /// - Throws: ``SpeculateError`` for a grammar that is too ambiguous.
  package init(
    _ grammar: Grammar, _ trie: TokenTrie, memory: Int = usualMemory
  ) throws(SpeculateError) {
    states = try GrammarStates(grammar.automaton, usualWords: memory)
    self.trie = trie
    path = [Int32](repeating: 0, count: trie.longest + 1)
  }

  /// Grows when numbers of states are void.
  package var epoch: Int { states.epoch }
  /// The state of the empty text.
  package var start: Int32 { states.start }

  /// Forgets what takes too much memory; no state is in use now.
  package func trim() throws(SpeculateError) {
    let before = states.epoch
    try states.trim()
    guard states.epoch != before else { return }
    masks.removeAll(keepingCapacity: true)
    forced.removeAll(keepingCapacity: true)
  }

  /// Whether the text may end in a state.
  package func accepts(_ state: Int32) -> Bool { states.accepts(state) }

  /// The state behind a token; `nil` if the grammar forbids it.
  package func advance(_ state: Int32, by token: Token) throws(SpeculateError) -> Int32? {
    let bytes = trie.bytes(of: token)
    guard !bytes.isEmpty else { return nil }
    states.beginQuestion()
    let next = try states.step(state, bytes)
    return next == GrammarStates.dead ? nil : next
  }

  /// Which tokens may come next in a state; end tokens are not among them.
  ///
  /// - Complexity: as many steps as the tree of the vocabulary has nodes, at most; one look if the
  ///   state was asked about before.
  package func mask(_ state: Int32) throws(SpeculateError) -> TokenMask {
    if let known = masks[state] { return known }
    states.beginQuestion()
    var mask = TokenMask(vocabulary: trie.vocabulary)
    path[0] = state
    var node = 0
    while node < trie.bytes.count {
      visited += 1
      let depth = Int(trie.depths[node])
      let next = try states.step(path[depth - 1], trie.bytes[node])
      guard next != GrammarStates.dead else {
        node = Int(trie.skips[node])
        continue
      }
      path[depth] = next
      var token = trie.tokens[node]
      while token >= 0 {
        mask.insert(token)
        token = trie.twins[Int(token)]
      }
      node += 1
    }
    if masks.count >= Self.mostMasks { masks.removeAll(keepingCapacity: true) }
    masks[state] = mask
    return mask
  }

  /// Tokens that spell what is certain to come, in the way in which the tokenizer does, or the only token that
  /// is allowed; empty where the text can go on in several ways.
  ///
  /// Other tokens may spell the same text, so these are drafts like any others.
  package func forcedTokens(_ state: Int32) throws(SpeculateError) -> [Token] {
    if let known = forced[state] { return known }
    states.beginQuestion()
    var bytes: [UInt8] = []
    var place = state
    while bytes.count < Self.mostForced, let (byte, next) = try states.onlyByte(place) {
      bytes.append(byte)
      place = next
    }
    var tokens = trie.spelling(of: bytes)
    if bytes.isEmpty, !states.accepts(state) {
      let mask = try mask(state)
      if mask.count == 1 { tokens = [mask.first] }
    }
    if forced.count >= Self.mostMasks { forced.removeAll(keepingCapacity: true) }
    forced[state] = tokens
    return tokens
  }

  /// Whether the text can do nothing but end.
  package func mustEnd(_ state: Int32) -> Bool { states.mustEnd(state) }
}
