import Files
import Tensors

/// What the drafts of a block were drawn from, place by place, for verification that weighs drafts against it.
///
/// Only a block that was drawn once and from its first place on has distributions that say how likely it was as a
/// whole. What isn't known counts as sure to be drafted, which is exact as well.
package final class DraftDistributions {
  private let vocabulary: Int
  /// Of each place probabilities of the target's tokens: [vocabulary]; made when they are first needed.
  private var rows: [FloatBuffer] = []
  private var count = 0
  private var isOrderly = true

  package init(vocabulary: Int) { self.vocabulary = vocabulary }

  /// Begins another block.
  package func begin() { (count, isOrderly) = (0, true) }

  /// Takes the distribution of the next place.
  ///
  /// - Parameters:
  ///   - weights: unnormalised probabilities: [columns].
  ///   - total: their sum.
  ///   - map: what columns mean as tokens; `nil` if column and token are the same number.
  package func record(
    _ weights: UnsafePointer<Float>, count columns: Int, total: Float, place: Int,
    map: VocabularyMap? = nil
  ) {
    guard isOrderly, place == count else {
      isOrderly = false
      return
    }
    if rows.count == count { rows.append(FloatBuffer(count: vocabulary)) }
    let row = rows[count]
    row.base.update(repeating: 0, count: vocabulary)
    for column in 0..<columns {
      let token = map.map { Int($0.tokens[column]) } ?? column
      if token < vocabulary { row.base[token] = weights[column] / total }
    }
    count += 1
  }

  /// What the draft of a place was drawn from: [vocabulary]; `nil` if that isn't known.
  package subscript(place: Int) -> UnsafePointer<Float>? {
    isOrderly && place < count ? UnsafePointer(rows[place].base) : nil
  }
}
