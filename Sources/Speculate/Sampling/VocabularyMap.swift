package import Files

/// A subset of a vocabulary: what the columns of a drafter's logits mean as tokens.
package struct VocabularyMap: Sendable, Equatable {
  /// The token of every column: [columns].
  package let tokens: [Token]
  /// The column of every token, −1 where it has none: [vocabulary].
  private let columns: [Int32]

  /// Makes the map of columns to tokens of a vocabulary.
  ///
  /// - Throws: ``SpeculateError`` if a token is outside the vocabulary or appears twice.
  package init(tokens: [Token], vocabulary: Int) throws {
    var columns = [Int32](repeating: -1, count: vocabulary)
    for (column, token) in tokens.enumerated() {
      guard columns.indices.contains(Int(token)) else {
        throw SpeculateError(
          "draft vocabulary names token \(token), but the target has \(vocabulary) tokens:"
            + " use a drafter made for this target")
      }
      guard columns[Int(token)] < 0 else {
        throw SpeculateError("draft vocabulary names token \(token) twice: the map is damaged")
      }
      columns[Int(token)] = Int32(column)
    }
    self.tokens = tokens
    self.columns = columns
  }

  /// The column of a token, `nil` if the subset lacks it.
  package func column(of token: Token) -> Int? {
    guard columns.indices.contains(Int(token)), columns[Int(token)] >= 0 else { return nil }
    return Int(columns[Int(token)])
  }
}
