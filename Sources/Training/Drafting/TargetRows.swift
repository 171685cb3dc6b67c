package import Files
package import Tensors

/// What a drafter borrows from its target in training: embedding rows and the head, frozen.
package struct TargetRows: Sendable {
  package let embedding: TokenEmbedding
  /// The head's rows of the draft vocabulary: [choices][hidden].
  package let head: FloatBuffer
  /// The token of each draft index, ascending; nil for the whole vocabulary.
  package let draftVocabulary: [Token]?
  /// The draft index of each token, −1 outside the draft vocabulary: [vocabulary].
  package let choices: [Int32]

  /// Takes the head's rows of the draft vocabulary, or all where there is none.
  package init(embedding: TokenEmbedding, head: FloatBuffer, draftVocabulary: [Token]?) {
    self.embedding = embedding
    self.head = head
    self.draftVocabulary = draftVocabulary
    guard let draftVocabulary else {
      choices = (0..<Int32(embedding.vocabularySize)).map { $0 }
      return
    }
    var choices = [Int32](repeating: -1, count: embedding.vocabularySize)
    for (index, token) in draftVocabulary.enumerated() { choices[Int(token)] = Int32(index) }
    self.choices = choices
  }

  /// The `size` most frequent tokens, ascending by id, as a draft vocabulary; nil when that is the whole
  /// vocabulary.
  ///
  /// Of equally frequent tokens the lower ids are taken.
  static func mostFrequent(_ size: Int, counts: [Int]) -> [Token]? {
    guard size < counts.count else { return nil }
    let order = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }
    return order.prefix(size).sorted().map { Token($0) }
  }
}
