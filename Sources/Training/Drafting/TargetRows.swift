public import Files
public import Tensors

/// What a drafter borrows from its target in training: embedding rows and the head, frozen.
public struct TargetRows: Sendable {
  /// Token rows, as the target embeds them.
  public let embedding: TokenEmbedding
  /// The head's rows of the draft vocabulary: [choices][hidden].
  public let head: FloatBuffer
  /// The token of each draft index, ascending; nil for the whole vocabulary.
  public let draftVocabulary: [Token]?
  /// The draft index of each token, −1 outside the draft vocabulary: [vocabulary].
  public let choices: [Int32]

  /// Takes the draft vocabulary's rows of a whole head [vocabulary][hidden].
  public init(embedding: TokenEmbedding, head whole: FloatBuffer, draftVocabulary: [Token]?) {
    self.embedding = embedding
    self.draftVocabulary = draftVocabulary
    let hidden = embedding.width
    guard let draftVocabulary else {
      head = whole
      choices = (0..<Int32(embedding.vocabularySize)).map { $0 }
      return
    }
    head = FloatBuffer(count: draftVocabulary.count * hidden)
    var choices = [Int32](repeating: -1, count: embedding.vocabularySize)
    for (index, token) in draftVocabulary.enumerated() {
      choices[Int(token)] = Int32(index)
      (head.base + index * hidden).update(from: whole.base + Int(token) * hidden, count: hidden)
    }
    self.choices = choices
  }
}
