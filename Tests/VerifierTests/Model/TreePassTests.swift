import Files
import Tensors
import TestSupport
import Testing
import Verifier

/// A tree's rows are, to the bit, the rows of plain passes over their own paths.
struct TreePassTests {
  static let configurations: [ModelConfiguration] = [
    tinyModel { _ in },
    tinyModel {
      $0.headNorms = .each
      $0.keyValueHeadCount = 1
      $0.headDimension = 10
    },
    tinyModel {
      $0.attentionBias = true
      $0.keyValueHeadCount = 4
      $0.slidingWindow = 20
    },
  ]

  /// A random tree: each row follows the last row or, now and then, one of its ancestors.
  static func tree(rows: Int, vocabulary: Int, seed: UInt64) -> TokenTree {
    let numbers = randomTokens(2 * rows, below: 997, seed: seed)
    var tree = TokenTree(root: numbers[0] % Token(vocabulary))
    for row in 1..<max(rows, 1) {
      var parent = row - 1
      for _ in 0..<max(0, Int(numbers[2 * row]) % 7 - 3) where parent > 0 {
        parent = tree.parents[parent]
      }
      tree.append(numbers[2 * row + 1] % Token(vocabulary), after: parent)
    }
    return tree
  }

  static func path(to row: Int, of tree: TokenTree) -> [Int] {
    row < 0 ? [] : path(to: tree.parents[row], of: tree) + [row]
  }

  private func bits(_ runner: CausalRunner, row: Int) -> [UInt32] {
    let width = runner.model.configuration.vocabularySize
    return (0..<width).map { runner.logits[row * width + $0].bitPattern }
  }

  /// The prefixes end before, at and behind the edges of key blocks (16) and chunks (256).
  @Test(arguments: configurations, [3, 15, 16, 250, 256, 270])
  func rowsEqualPlainDecoding(configuration: ModelConfiguration, prefix: Int) throws {
    let model = CausalModel(random: configuration, seed: 5)
    let vocabulary = configuration.vocabularySize
    let text = randomTokens(prefix, below: vocabulary, seed: 3)
    let single = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 64)
    let plain = try single.makeCache(capacity: prefix + 80)
    single.read(text, into: plain, logits: .last)
    for (index, rows) in [1, 2, 5, 24, 64].enumerated() {
      let tree = Self.tree(rows: rows, vocabulary: vocabulary, seed: UInt64(rows + prefix))
      if rows > 5 { #expect(!tree.isChain) }
      let expected = (0..<rows).map { row in
        // The path token by token: plain decoding.
        for step in Self.path(to: row, of: tree) {
          [tree.tokens[step]].withUnsafeBufferPointer {
            single.forward($0, cache: plain, logits: .all)
          }
        }
        plain.rewind(to: prefix)
        return bits(single, row: 0)
      }
      let runner = CausalRunner(
        model: model, workers: Workers(count: index % 3 + 1), maximumRows: 64)
      let cache = try runner.makeCache(capacity: prefix + 80)
      runner.read(text, into: cache, logits: .last)
      runner.forward(forest: [PlantedTree(tree, in: cache)])
      #expect(cache.count == prefix)
      for row in 0..<rows {
        let equal = bits(runner, row: row) == expected[row]
        #expect(equal, "row \(row) of \(rows)")
      }
    }
  }

  /// What is kept of a tree is what plain passes would have left: later logits and taps show it.
  @Test(arguments: configurations) func whatIsKeptIsThePath(_ configuration: ModelConfiguration)
    throws
  {
    let model = CausalModel(random: configuration, seed: 5)
    let vocabulary = configuration.vocabularySize
    let hidden = configuration.hiddenSize
    let text = randomTokens(30, below: vocabulary, seed: 3)
    let tail = randomTokens(5, below: vocabulary, seed: 4)
    let runner = CausalRunner(
      model: model, workers: Workers(count: 2), maximumRows: 64, taps: [0, 2])
    for rows in [1, 7, 40] {
      let tree = Self.tree(rows: rows, vocabulary: vocabulary, seed: UInt64(rows))
      for leaf in 0..<rows {
        let path = Self.path(to: leaf, of: tree)
        let plain = try runner.makeCache(capacity: 128)
        runner.read(text, into: plain, logits: .last)
        runner.read(path.map { tree.tokens[$0] }, into: plain, logits: .last)
        let taps = Array(
          UnsafeBufferPointer(start: runner.taps, count: path.count * 2 * hidden))
        runner.read(tail, into: plain, logits: .last)
        let expected = bits(runner, row: 0)

        let cache = try runner.makeCache(capacity: 128)
        runner.read(text, into: cache, logits: .last)
        runner.forward(forest: [PlantedTree(tree, in: cache)])
        runner.keep(path, of: tree, cache: cache)
        #expect(cache.count == text.count + path.count)
        let kept = Array(
          UnsafeBufferPointer(start: runner.taps, count: path.count * 2 * hidden))
        let equalTaps = kept == taps
        #expect(equalTaps)
        runner.read(tail, into: cache, logits: .last)
        let equal = bits(runner, row: 0) == expected
        #expect(equal, "leaf \(leaf) of \(rows)")
      }
    }
  }

  /// A tree may stand behind a slice of the same pass, beside trees of others that branch.
  @Test(arguments: configurations, [1, 2]) func treesBehindSlicesEqualThoseBehindTexts(
    _ configuration: ModelConfiguration, _ threads: Int
  ) throws {
    let model = CausalModel(random: configuration, seed: 5)
    let vocabulary = configuration.vocabularySize
    let runner = CausalRunner(
      model: model, workers: Workers(count: threads), maximumRows: 128, taps: [0, 2])
    let text = randomTokens(50, below: vocabulary, seed: 3)
    let tree = Self.tree(rows: 9, vocabulary: vocabulary, seed: 4)
    let tapWidth = 2 * configuration.hiddenSize
    func taps(from row: Int, _ rows: Int) -> [Float] {
      Array(UnsafeBufferPointer(start: runner.taps(from: row), count: rows * tapWidth))
    }
    let known = try runner.makeCache(capacity: 128)
    runner.read(text, into: known)
    runner.forward(forest: [PlantedTree(tree, in: known)])
    let expected = (0..<9).map { bits(runner, row: $0) }
    let expectedTaps = taps(from: 0, 9)
    for read in [0, 16, 49] {
      let caches = try (0..<3).map { _ in try runner.makeCache(capacity: 128) }
      runner.read(text[..<read], into: caches[0])
      runner.read(text, into: caches[1])
      runner.forward(
        first: [TextSlice(text[read...], in: caches[0])],
        forest: [
          PlantedTree(tree, in: caches[1]),
          PlantedTree(tree, in: caches[0], behind: text.count - read),
        ], slices: [TextSlice(text[...], in: caches[2])])
      #expect(caches.map(\.count) == [50, 50, 50])
      let start = text.count - read
      #expect(runner.logits(from: start) == runner.logits)
      for row in 0..<9 {
        let equal = bits(runner, row: row) == expected[row]
        let equalBehind = bits(runner, row: 9 + row) == expected[row]
        #expect(equal && equalBehind, "row \(row), read \(read)")
      }
      let equalTaps = taps(from: start, 9) == expectedTaps
      let equalTapsBehind = taps(from: start + 9, 9) == expectedTaps
      #expect(equalTaps && equalTapsBehind)
      runner.keep([0], of: tree, firstRow: start + 9, cache: caches[0])
      #expect(caches[0].count == 51)
    }
  }

  @Test func childrenAreFound() {
    var tree = TokenTree(root: 9)
    tree.append(1, after: 0)
    tree.append(5, after: 1)
    tree.append(2, after: 0)
    tree.append(5, after: 3)
    tree.append(6, after: 4)
    tree.append(7, after: 3)
    #expect(tree.child(of: 0, token: 1) == 1)
    #expect(tree.child(of: 0, token: 2) == 3)
    #expect(tree.child(of: 0, token: 5) == nil)
    #expect(tree.child(of: 1, token: 5) == 2)
    #expect(tree.child(of: 3, token: 7) == 6)
    #expect(tree.child(of: 3, token: 6) == nil)
    #expect(tree.child(of: 6, token: 1) == nil)
    #expect(tree.depths == [0, 1, 2, 1, 2, 3, 2] && tree.depth == 3 && !tree.isChain)
    #expect(TokenTree(root: 3, chain: [1, 2]).isChain && TokenTree(root: 3).isChain)
  }
}
