package import Files
package import Tensors

/// Alternative continuations of a text that share their beginnings, as rows of one pass.
///
/// Row 0 is the root: the last committed token, which all others follow. Rows stand in depth-first
/// order: each follows, at once or through its ancestors, the row before it. A chain is a tree too.
package struct TokenTree: Sendable, Equatable {
  /// The tokens: [rows].
  package private(set) var tokens: [Token] = []
  /// The row that each row follows, −1 for the root: [rows].
  package private(set) var parents: [Int] = []
  /// How far each row is from the root: [rows].
  package private(set) var depths: [Int] = []

  package init(root: Token) { reset(root: root) }

  package mutating func reserveCapacity(_ rows: Int) {
    tokens.reserveCapacity(rows)
    parents.reserveCapacity(rows)
    depths.reserveCapacity(rows)
  }

  /// Starts over with a root alone, and keeps the memory.
  package mutating func reset(root: Token) {
    tokens.removeAll(keepingCapacity: true)
    parents.removeAll(keepingCapacity: true)
    depths.removeAll(keepingCapacity: true)
    tokens.append(root)
    parents.append(-1)
    depths.append(0)
  }

  package init(root: Token, chain: some Sequence<Token>) {
    self.init(root: root)
    for token in chain { append(token, after: count - 1) }
  }

  package var count: Int { tokens.count }

  package var isChain: Bool { depths.last == count - 1 }

  package var depth: Int { depths.max() ?? 0 }

  /// Adds a row that follows `parent`, which is the last row or one of its ancestors.
  package mutating func append(_ token: Token, after parent: Int) {
    precondition(tokens.indices.contains(parent), "the parent is no row of the tree")
    var row = count - 1
    while row > parent { row = parents[row] }
    precondition(row == parent, "rows of a tree are added in depth-first order")
    tokens.append(token)
    parents.append(parent)
    depths.append(depths[parent] + 1)
  }

  /// The row of `token` after `row`, if the tree has it.
  ///
  /// - Complexity: O(rows below `row`).
  package func child(of row: Int, token: Token) -> Int? {
    for next in (row + 1)..<max(row + 1, count) {
      if depths[next] <= depths[row] { return nil }
      if parents[next] == row && tokens[next] == token { return next }
    }
    return nil
  }
}

/// A tree and the cache behind whose keys and values it grows: one sequence's part of a pass.
package struct PlantedTree {
  package var tree: TokenTree
  /// The sequence's cache, which holds all that stands before the tree's root, but for what a slice of the
  /// same pass reads.
  package var cache: KeyValueCache
  /// Tokens of that slice.
  package var behind: Int

  package init(_ tree: TokenTree, in cache: KeyValueCache, behind: Int = 0) {
    self.tree = tree
    self.cache = cache
    self.behind = behind
  }
}

/// A part of a text that is read into its cache beside the trees of a pass.
package struct TextSlice {
  /// What stands at the cache's position `count` and behind it.
  package var tokens: ArraySlice<Token>
  package var cache: KeyValueCache
  /// Whether its rows get logits.
  package var wantsLogits: Bool

  package init(_ tokens: ArraySlice<Token>, in cache: KeyValueCache, wantsLogits: Bool = false) {
    self.tokens = tokens
    self.cache = cache
    self.wantsLogits = wantsLogits
  }
}
