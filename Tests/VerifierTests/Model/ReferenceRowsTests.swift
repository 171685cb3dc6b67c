import Files
import Tensors
import TestSupport
import Testing
import Verifier

/// Rows of every family's fixture are the same to the bit in whatever company they are computed.
@Suite struct ReferenceRowsTests {
  private func load(_ reference: ReferenceModel) throws -> CausalModel {
    try CausalModel(directory: reference.directory)
  }

  /// A text read token by token, in pieces and at once, by one worker and by several.
  @Test(arguments: ReferenceTests.models) func piecesDontMatter(_ reference: ReferenceModel) throws
  {
    let model = try load(reference)
    let expected = try reference.expected()
    let text = Array((expected.inputIDs + expected.greedyIDs).prefix(60))
    let single = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 64)
    let plain = try rows(single, text, 1)
    for threads in 1...3 {
      let runner = CausalRunner(model: model, workers: Workers(count: threads), maximumRows: 64)
      for piece in [2, 7, 16, 60] {
        let equal = try rows(runner, text, piece) == plain
        #expect(equal, "\(threads) threads, pieces of \(piece)")
      }
    }
  }

  /// The rows of trees are those of their own paths, and what is kept of a tree is the path.
  @Test(arguments: ReferenceTests.models) func treesAreTheirPaths(_ reference: ReferenceModel)
    throws
  {
    let model = try load(reference)
    let vocabulary = model.configuration.vocabularySize
    let text = try reference.expected().inputIDs
    let single = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 64)
    for (index, count) in [5, 24].enumerated() {
      let tree = TreePassTests.tree(rows: count, vocabulary: vocabulary, seed: UInt64(count))
      let paths = (0..<count).map { TreePassTests.path(to: $0, of: tree) }
      let expected = try paths.map { path in
        try rows(single, text + path.map { tree.tokens[$0] } + [7], 1).suffix(2)
      }
      let runner = CausalRunner(
        model: model, workers: Workers(count: index + 1), maximumRows: 64)
      let cache = try runner.makeCache(capacity: 75)
      runner.read(text, into: cache)
      for (row, path) in paths.enumerated() {
        runner.forward(forest: [PlantedTree(tree, in: cache)])
        let equal = bits(runner, row: row) == expected[row].first
        #expect(equal, "row \(row) of \(count)")
        runner.keep(path, of: tree, cache: cache)
        runner.read([7], into: cache, logits: .last)
        let keptIsEqual = bits(runner, row: 0) == expected[row].last
        #expect(keptIsEqual, "what is kept of row \(row) of \(count)")
        cache.rewind(to: text.count)
      }
    }
  }
}
