package import Files
import Text

/// Where the output of a sequence is in the grammar that it is held to. It belongs to that sequence.
package final class ConstraintState {
  private let grammar: TokenGrammar
  private let endTokens: [Token]
  private var state: Int32
  /// What ``state`` is a number of.
  private var epoch: Int
  /// The committed tokens of the output.
  private var written: [Token] = []

  /// An output without tokens.
  package init(_ grammar: TokenGrammar, endTokens: [Token]) {
    self.grammar = grammar
    self.endTokens = endTokens
    state = grammar.start
    epoch = grammar.epoch
  }

  /// The place behind what was committed; `nil` if it can't be told any more.
  package var place: ConstraintPlace? { try? currentPlace() }

  /// The place behind what was committed.
  ///
  /// - Throws: ``SpeculateError`` if the grammar is too ambiguous to tell.
  func currentPlace() throws(SpeculateError) -> ConstraintPlace {
    try refresh()
    return ConstraintPlace(grammar, endTokens: endTokens, state: state)
  }

  /// Takes the next token of the output, which the mask allows.
  package func commit(_ token: Token) throws(SpeculateError) {
    guard !endTokens.contains(token) else { return }
    // Nobody else looks at a state while a token is committed.
    try grammar.trim()
    try refresh()
    guard let next = try grammar.advance(state, by: token) else {
      throw SpeculateError("token \(token) is none that the grammar allows here")
    }
    state = next
    written.append(token)
  }

  /// Finds the state again after all were forgotten.
  private func refresh() throws(SpeculateError) {
    guard epoch != grammar.epoch else { return }
    var state = grammar.start
    for token in written {
      guard let next = try grammar.advance(state, by: token) else { break }
      state = next
    }
    (self.state, epoch) = (state, grammar.epoch)
  }
}

/// A place in the texts of a grammar: behind an output, or behind drafts.
///
/// It is good until the sequence's next token is committed.
package struct ConstraintPlace {
  private let grammar: TokenGrammar
  private let endTokens: [Token]
  /// `nil` behind an end token.
  private var state: Int32?

  init(_ grammar: TokenGrammar, endTokens: [Token], state: Int32) {
    self.grammar = grammar
    self.endTokens = endTokens
    self.state = state
  }

  /// Goes on by a token.
  ///
  /// - Returns: whether the grammar allows it, as far as that can be told; if not, the place stays.
  package mutating func advance(by token: Token) -> Bool {
    guard let state else { return false }
    if endTokens.contains(token) {
      guard grammar.accepts(state) else { return false }
      self.state = nil
      return true
    }
    guard let next = try? grammar.advance(state, by: token) else { return false }
    self.state = next
    return true
  }

  /// Whether the grammar allows a token, as far as that can be told.
  package func allows(_ token: Token) -> Bool {
    var place = self
    return place.advance(by: token)
  }

  /// How many of some drafts the grammar allows, one behind the other.
  package func allowed(_ tokens: some Sequence<Token>) -> Int {
    var place = self
    return tokens.prefix { place.advance(by: $0) }.count
  }

  /// Which tokens may come next; `nil` behind an end token, and where it can't be told.
  package var mask: ConstraintMask? { try? computedMask() }

  /// - Throws: ``SpeculateError`` behind an end token, and if the grammar is too ambiguous to tell.
  func computedMask() throws(SpeculateError) -> ConstraintMask {
    guard let state else { throw SpeculateError("the text has ended") }
    return ConstraintMask(
      tokens: try grammar.mask(state), endTokens: endTokens, mayEnd: grammar.accepts(state))
  }

  /// Adds what the grammar forces from here on, as tokens.
  ///
  /// - Parameter limit: the most tokens.
  package func addForced(limit: Int, to tokens: inout [Token]) {
    var place = self
    while tokens.count < limit, let state = place.state,
      let forced = try? grammar.forcedTokens(state), !forced.isEmpty
    {
      for token in forced.prefix(limit - tokens.count) {
        guard place.advance(by: token) else { return }
        tokens.append(token)
      }
    }
  }
}
