import Foundation
import TestSupport

/// A SentencePiece BPE model of a few pieces.
enum TinyTokenizer {
  static let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)
  static let words = ["▁", "ab", "cd", "▁a", "abcd"]

  /// `<unk>`, `<s>`, `</s>`, `<mask>`, the line end, words, letters.
  static let vocabulary = 5 + words.count + letters.count

  /// The serialized model.
  static var data: Data { data(words: words + letters) }

  /// A model with other words.
  static func data(words: [String], endPiece: String = "</s>") -> Data {
    var builder = SentencePieceModelBuilder(pieces: [
      ("<unk>", .unknown), ("<s>", .control), (endPiece, .control), ("<mask>", .control),
      ("\n", .userDefined),
    ])
    builder.pieces += words.map { ($0, .normal) }
    return builder.data
  }
}
