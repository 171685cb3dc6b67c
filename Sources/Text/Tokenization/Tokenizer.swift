package import Files

/// Text to token ids and back.
///
/// A tokenizer is immutable after loading and may be used from several threads at once.
package protocol Tokenizer: Sendable {
  /// The ids of a text.
  ///
  /// - Parameters:
  ///   - text: Any text, the empty one included.
  ///   - addSpecial: Whether to add what the tokenizer's files prescribe around a text, most often
  ///     a begin token in front.
  ///   - parseSpecial: Whether the spelling of a special token within the text (`"</s>"`) becomes
  ///     that token. With `false` such a spelling is text like any other, which is what foreign
  ///     text needs: it cannot forge the structure of a conversation.
  ///
  /// - Throws: `SpeculateError` when a pattern of the tokenizer's file can't cut the text within its
  ///   limits, or the vocabulary can't spell it.
  func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) throws -> [Token]

  /// The bytes a token adds to the text; not necessarily whole characters.
  ///
  /// Empty for special tokens and for ids outside the vocabulary (models pad theirs).
  /// Whether a leading space counts is up to ``leadingSpaceRule``.
  func bytes(of id: Token) -> [UInt8]

  /// Whether the token is structure, not text: begin, end, padding, mask and the like.
  func isSpecial(_ id: Token) -> Bool

  /// The token's spelling in the vocabulary, which for text pieces is not the text itself
  /// (`"▁the"`, `"Ġthe"`); `nil` outside the vocabulary.
  func piece(of id: Token) -> String?

  /// The token with this spelling in the vocabulary.
  func id(of piece: String) -> Token?

  /// One more than the largest id.
  var vocabularySize: Int { get }

  /// The token in front of every text, if the vocabulary has one.
  var beginToken: Token? { get }

  /// The tokens after which a text is over, as far as the tokenizer's files name them.
  var endTokens: [Token] { get }

  /// What becomes of a space at the very beginning of a decoded text.
  var leadingSpaceRule: LeadingSpaceRule { get }
}

extension Tokenizer {
  /// The tokens after which an output of a model is over: those that the model names, or this tokenizer's
  /// where it names none. An answer in a chat ends at both: instruction models set the `eos_token` to the end
  /// of a turn.
  package func endTokens(of model: [Token], inChat: Bool) -> [Token] {
    inChat || model.isEmpty ? model + endTokens.filter { !model.contains($0) } : model
  }
}

/// What becomes of spaces at the very beginning of a decoded text.
///
/// SentencePiece models often put a space in front of every text before encoding it; decoding
/// takes it away again.
package enum LeadingSpaceRule: Sendable, Equatable {
  case keep
  case dropOne
  case dropAll
  /// All spaces of the first piece are dropped, whatever stands between them.
  case dropAllOfFirstPiece
}

extension Tokenizer {
  /// The ids of a text in which special tokens are not looked for.
  ///
  /// - Throws: `SpeculateError` as the other `encode` does.
  package func encode(_ text: String, addSpecial: Bool) throws -> [Token] {
    try encode(text, addSpecial: addSpecial, parseSpecial: false)
  }

  /// The text of a whole sequence of ids.
  ///
  /// Bytes that form no character become U+FFFD, one for each maximal part of a character.
  ///
  /// - Parameters:
  ///   - ids: The sequence; ids outside the vocabulary add nothing.
  ///   - skipSpecial: Whether special tokens add nothing (`true`) or their spelling (`false`).
  package func decode(_ ids: [Token], skipSpecial: Bool) -> String {
    var bytes: [UInt8] = []
    var stripper = LeadingSpaceStripper(rule: leadingSpaceRule)
    for id in ids {
      if isSpecial(id) {
        guard !skipSpecial, let piece = piece(of: id) else { continue }
        bytes += stripper.special(piece)
      } else {
        bytes += stripper.text(self.bytes(of: id))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
