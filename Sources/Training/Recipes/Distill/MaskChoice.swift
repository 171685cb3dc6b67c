import Files
import Text

/// The token that stands for a draft to be made where nobody names one: one that text never holds.
///
/// It is a function of the tokenizer and the size of the vocabulary, so that a resumed run has the same.
struct MaskChoice {
  let token: Token
  /// What to say of it; nil for the tokenizer's own mask.
  let remark: String?

  /// The tokenizer's mask, else a token it reserves, else an id it doesn't use, else the last special token
  /// beside those that stand in texts and chats; nil where there is none.
  ///
  /// - Parameter standing: Special tokens that begin and end texts and turns.
  init?(_ tokenizer: any Tokenizer, vocabulary: Int, standing: Set<Token>) {
    let masks = ["<mask>", "[MASK]", "<|mask|>", "<|MASK|>"]
    let ids = (0..<Token(vocabulary)).lazy
    if let mask = masks.lazy.compactMap({ tokenizer.id(of: $0) }).first(where: ids.contains) {
      (token, remark) = (mask, nil)
    } else if let reserved = ids.first(where: {
      tokenizer.piece(of: $0).map(Self.isReserved) ?? false
    }) {
      token = reserved
      remark =
        "the tokenizer has no mask: \(tokenizer.piece(of: reserved) ?? "") (\(reserved)), which it "
        + "reserves, stands for drafts to be made"
    } else if let unused = ids.first(where: { tokenizer.piece(of: $0) == nil }) {
      token = unused
      remark =
        "the tokenizer has no mask: token \(unused), which it doesn't use, stands for drafts to be made"
    } else if let special = ids.last(where: {
      tokenizer.isSpecial($0) && !standing.contains($0)
        && !["<unk>", "[UNK]"].contains(tokenizer.piece(of: $0))
    }) {
      token = special
      remark =
        "the tokenizer has no mask: \(tokenizer.piece(of: special) ?? "") (\(special)), a special token "
        + "that chats don't have, stands for drafts to be made"
    } else {
      return nil
    }
  }

  private static func isReserved(_ piece: String) -> Bool {
    guard let first = piece.first, let last = piece.last, "<[".contains(first), ">]".contains(last)
    else { return false }
    return ["reserved", "unused", "extra_", "placeholder"].contains { piece.contains($0) }
  }
}
