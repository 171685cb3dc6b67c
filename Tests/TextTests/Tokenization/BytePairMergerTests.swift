import Files
import Testing
import Text

@Suite struct BytePairMergerTests {
  /// The definition: do the merge of lowest rank, of equal ones the leftmost, until none applies.
  static func merged(_ word: [Token], with merges: MergeTable) -> [Token] {
    var word = word
    while true {
      let candidates = word.indices.dropLast().compactMap { index in
        merges[word[index], word[index + 1]].map { (index: index, merge: $0) }
      }
      let first = candidates.min {
        ($0.merge.rank, $0.index) < ($1.merge.rank, $1.index)
      }
      guard let first else { return word }
      word[first.index] = first.merge.token
      word.remove(at: first.index + 1)
    }
  }

  @Test func equalsTheDefinitionOnRandomMerges() {
    var random = SplitMix(seed: 7)
    var merger = BytePairMerger()
    var changed = 0
    for _ in 0..<400 {
      // Few tokens, so that pairs overlap and repeat; later tokens are made of earlier ones.
      let letters = Int.random(in: 1...4, using: &random)
      let count = Int.random(in: 1...30, using: &random)
      var merges = MergeTable(capacity: count)
      for rank in 0..<count {
        let known = Token(letters + rank)
        let left = Token.random(in: 0..<known, using: &random)
        let right = Token.random(in: 0..<known, using: &random)
        merges[left, right] = .init(rank: UInt32(rank), token: known)
      }
      for length in [0, 1, 2, 3, 7, 20, 60] {
        let word = (0..<length).map { _ in Token.random(in: 0..<Token(letters), using: &random) }
        var tokens: [Token] = [-7]
        merger.merge(word, with: merges, into: &tokens)
        #expect(tokens == [-7] + Self.merged(word, with: merges))
        if tokens.count < length { changed += 1 }
      }
    }
    #expect(changed > 400)
  }

  @Test func mergesALongWordQuickly() {
    // A quadratic merger would take minutes for this.
    var merges = MergeTable(capacity: 4)
    for level in 0..<4 {
      merges[Token(level), Token(level)] = .init(rank: UInt32(level), token: Token(level + 1))
    }
    var tokens: [Token] = []
    var merger = BytePairMerger()
    merger.merge([Token](repeating: 0, count: 1 << 20), with: merges, into: &tokens)
    #expect(tokens == [Token](repeating: 4, count: 1 << 16))
  }
}
