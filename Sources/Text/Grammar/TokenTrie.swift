import Files

/// The tokens of a vocabulary by their bytes, as a tree that a grammar is walked along.
///
/// A special token stands there under its spelling as a mark of ``GrammarMark``, so that no text leads to it.
/// Tokens without bytes are in no text, and not in the tree.
package final class TokenTrie: Sendable {
  /// The byte that leads to each node, without the root, in preorder: [nodes].
  let bytes: [UInt8]
  /// How far each node is from the root: [nodes].
  let depths: [UInt16]
  /// The first node behind each one's descendants: [nodes].
  let skips: [Int32]
  /// The token of each node, −1 without one: [nodes].
  let tokens: [Token]
  /// Another token of the same bytes, −1 without one: [vocabulary].
  let twins: [Token]
  let longest: Int
  package let vocabulary: Int
  let tokenizer: any Tokenizer

  private let content: [UInt8]
  private let contentStarts: [Int32]

  /// A spelling that is longer is no token of the tree.
  private static let mostBytes = 4096

  package init(_ tokenizer: any Tokenizer) {
    self.tokenizer = tokenizer
    vocabulary = tokenizer.vocabularySize
    var content: [UInt8] = []
    var starts: [Int32] = [0]
    for token in 0..<Token(vocabulary) {
      let own: [UInt8] =
        tokenizer.isSpecial(token)
        ? tokenizer.piece(of: token).map(GrammarMark.bytes) ?? [] : tokenizer.bytes(of: token)
      // No text that is spelled with a mark's own bytes is taken for one.
      let isForged =
        !tokenizer.isSpecial(token)
        && own.contains { $0 == GrammarMark.opening || $0 == GrammarMark.closing }
      if own.count <= Self.mostBytes, !isForged { content += own }
      starts.append(Int32(content.count))
    }
    func text(_ token: Token) -> ArraySlice<UInt8> {
      content[Int(starts[Int(token)])..<Int(starts[Int(token) + 1])]
    }
    let ordered = (0..<Token(vocabulary)).filter { !text($0).isEmpty }
      .sorted { (left, right) in
        let (a, b) = (text(left), text(right))
        return a.elementsEqual(b) ? left < right : a.lexicographicallyPrecedes(b)
      }
    var (bytes, depths, tokens): ([UInt8], [UInt16], [Token]) = ([], [], [])
    var twins = [Token](repeating: -1, count: vocabulary)
    var previous: ArraySlice<UInt8> = []
    var last: Token = -1
    for token in ordered {
      let own = text(token)
      if last >= 0, own.elementsEqual(previous) {
        twins[Int(last)] = token
      } else {
        let shared = zip(own, previous).prefix { $0 == $1 }.count
        for (place, byte) in own.enumerated().dropFirst(shared) {
          bytes.append(byte)
          depths.append(UInt16(place + 1))
          tokens.append(-1)
        }
        tokens[tokens.count - 1] = token
      }
      (previous, last) = (own, token)
    }
    (self.bytes, self.depths, self.tokens, self.twins) = (bytes, depths, tokens, twins)
    longest = Int(depths.max() ?? 0)
    skips = Self.skips(depths)
    (self.content, contentStarts) = (content, starts)
  }

  private static func skips(_ depths: [UInt16]) -> [Int32] {
    var skips = [Int32](repeating: Int32(depths.count), count: depths.count)
    var open: [Int] = []
    for (node, depth) in depths.enumerated() {
      while let last = open.last, depths[last] >= depth {
        skips[last] = Int32(node)
        open.removeLast()
      }
      open.append(node)
    }
    return skips
  }

  /// The bytes of a token, as they stand in the tree; empty for one that isn't there.
  func bytes(of token: Token) -> ArraySlice<UInt8> {
    guard token >= 0, Int(token) < vocabulary else { return [] }
    return content[Int(contentStarts[Int(token)])..<Int(contentStarts[Int(token) + 1])]
  }

  /// The longest token with which a text begins.
  func longestToken(of text: ArraySlice<UInt8>) -> Token? {
    var found: Token?
    var node = 0
    for byte in text {
      let depth = node == 0 ? 1 : depths[node - 1] + 1
      // `node` is the first child of the node that was matched last.
      while node < bytes.count, depths[node] == depth, bytes[node] != byte {
        node = Int(skips[node])
      }
      guard node < bytes.count, depths[node] == depth else { break }
      if tokens[node] >= 0 { found = tokens[node] }
      node += 1
    }
    return found
  }
}
