import Files
import Synchronization
import Text

/// The grammars of late outputs over a tokenizer's tokens, with what was found out about them. It belongs to one
/// thread at a time.
struct ConstraintCache {
  private var made: [(grammar: Grammar, tokens: TokenGrammar)] = []

  /// Grammars that are kept, the last used first.
  private static let most = 8

  /// The grammar of a constraint.
  ///
  /// - Throws: ``SpeculateError`` for a grammar that is too ambiguous.
  mutating func grammar(
    of constraint: Constraint, _ vocabulary: ConstraintVocabulary
  ) throws(SpeculateError) -> TokenGrammar {
    let found: TokenGrammar
    if let place = made.firstIndex(where: { $0.grammar == constraint.grammar }) {
      found = made.remove(at: place).tokens
    } else {
      found = try TokenGrammar(constraint.grammar, vocabulary.trie)
    }
    made.insert((constraint.grammar, found), at: 0)
    if made.count > Self.most { made.removeLast() }
    return found
  }
}

/// The tokens of a model by their bytes, made when an output is first held to a grammar.
package final class ConstraintVocabulary: Sendable {
  private let tokenizer: any Tokenizer
  private let made = Mutex<TokenTrie?>(nil)

  init(_ tokenizer: any Tokenizer) { self.tokenizer = tokenizer }

  /// Makes them now, on the thread that asks.
  package func prepare() { _ = trie }

  var trie: TokenTrie {
    made.withLock { made in
      let trie = made ?? TokenTrie(tokenizer)
      made = trie
      return trie
    }
  }
}
