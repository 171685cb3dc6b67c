import Verifier

/// The logits of a sequence's rows in the last pass of a runner.
package struct RowLogits {
  private let base: UnsafeMutablePointer<Float>
  package let vocabulary: Int
  /// The sequence's first row in the pass.
  let firstRow: Int

  init(_ runner: CausalRunner, firstRow: Int) {
    self.firstRow = firstRow
    vocabulary = runner.model.configuration.vocabularySize
    base = runner.logits(from: firstRow)
  }

  package subscript(row: Int) -> UnsafeMutablePointer<Float> { base + row * vocabulary }
}
