package import Files

/// The blocks under Jacobi iteration, in the order of their positions (arXiv 2512.14681).
///
/// The first block is real-active: its tokens are committed as they agree with the target. Those
/// behind it are pseudo-active: iterated ahead on the guess before them, and committed only when
/// they have become the first and are verified again. Pure bookkeeping of tokens, without a model.
package struct JacobiBlocks {
  package struct Block: Equatable {
    /// The guessed tokens that are not committed yet.
    package var guess: [Token]
    /// Of a real-active block the committed tokens, of a pseudo-active one those that the last pass
    /// left as they were.
    package var accepted = 0
  }

  let size: Int
  let most: Int
  /// Accepted tokens of the newest block from which on another one is opened.
  let spawn: Int
  /// The blocks, the real-active one first.
  package private(set) var blocks: [Block] = []

  package init(size: Int, most: Int, spawn: Double) {
    self.size = size
    self.most = most
    self.spawn = max(1, Int((spawn * Double(size)).rounded(.up)))
  }

  /// The guesses of all blocks: the first stands behind the anchor.
  package var guess: [Token] { blocks.flatMap(\.guess) }

  package var wantsBlock: Bool {
    guard let newest = blocks.last else { return true }
    return blocks.count < most && newest.accepted >= spawn
  }

  package mutating func open(_ guess: [Token]) {
    precondition(guess.count == size, "a block has \(size) tokens")
    blocks.append(Block(guess: guess))
  }

  /// Replaces the first tokens of the guess, as far as it goes.
  package mutating func replace(with tokens: [Token]) {
    var rest = tokens[...]
    for index in blocks.indices {
      let count = min(rest.count, blocks[index].guess.count)
      blocks[index].guess.replaceSubrange(..<count, with: rest.prefix(count))
      rest = rest.dropFirst(count)
    }
  }

  /// Takes what a pass brought.
  ///
  /// - Parameters:
  ///   - emitted: tokens that were committed.
  ///   - prediction: what the target predicts for a place of ``guess`` as it stood before the pass;
  ///     `nil` where the pass had no row for it.
  package mutating func advance(emitted: Int, prediction: (Int) -> Token?) {
    var place = 0
    for index in blocks.indices {
      let old = blocks[index].guess
      let committed = min(max(emitted - place, 0), old.count)
      var new: [Token] = []
      new.reserveCapacity(old.count - committed)
      var agreed = 0
      for offset in committed..<old.count {
        let token = prediction(place + offset)
        if token == old[offset], agreed == offset - committed { agreed += 1 }
        new.append(token ?? old[offset])
      }
      blocks[index].guess = new
      blocks[index].accepted = index == 0 ? size - new.count : committed + agreed
      place += old.count
    }
    blocks.removeAll { $0.guess.isEmpty }
  }
}
