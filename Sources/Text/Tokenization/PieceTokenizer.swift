package import Files
package import Foundation

/// A tokenizer of a `tokenizer.json`, of a `tekken.json`, of GPT-2's `vocab.json` and `merges.txt`, or of
/// a GGUF file's byte pairs: a text is normalized, cut into words, and each word becomes pieces.
///
/// Unlike huggingface/tokenizers, decoding replaces broken characters the same way for all kinds:
/// one U+FFFD for each maximal part of a character.
package final class PieceTokenizer: Tokenizer {
  struct Parts: Sendable {
    var model: any PieceModel
    var added = AddedTokens()
    var normalizer = TextNormalizer()
    var preTokenizer: PreTokenizer
    /// What pieces add to a text; for a byte-level model only added tokens need it.
    var decoder = PieceDecoder()
    var prefix: [Token] = []
    var suffix: [Token] = []
    var beginToken: Token?
    var endTokens: [Token] = []
  }

  private let parts: Parts

  init(_ parts: Parts) { self.parts = parts }

  /// Reads the contents of a `tokenizer.json`; `name` stands for it in error messages.
  ///
  /// - Throws: `SpeculateError` when it is damaged or asks for something that is not supported.
  package convenience init(json: Data, name: String) throws {
    try self.init(json: json, name: name, TokenizerConfiguration())
  }

  /// Reads the contents of a `tokenizer.json` whose begin and end tokens other files name.
  convenience init(json: Data, name: String, _ configuration: TokenizerConfiguration) throws {
    self.init(try TokenizerJSON(json, name: name).parts(configuration))
  }

  /// What it is made of, for whoever writes it in another form.
  var contents: Parts { parts }
  /// Its model, if that is of byte pairs.
  var bytePairs: BytePairModel? { parts.model as? BytePairModel }

  /// One more than the largest id of vocabulary and added tokens.
  package var vocabularySize: Int { max(parts.model.vocabularySize, parts.added.endID) }
  package var beginToken: Token? { parts.beginToken }
  package var endTokens: [Token] { parts.endTokens }
  /// Whether the tokenizer puts a space in front of a text.
  package var leadingSpaceRule: LeadingSpaceRule { parts.decoder.leadingSpaceRule }

  /// The ids of a text.
  ///
  /// - Throws: `SpeculateError` when a pattern can't cut the text, or the vocabulary can't spell it.
  /// - Complexity: O(n log n) in the length of the longest word, O(n) in the number of words, where
  ///   words are found and spelled by the methods of this package and not by a pattern.
  package func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) throws -> [Token] {
    var encoder = WordEncoder(model: parts.model)
    var ids = addSpecial ? parts.prefix : []
    var text = text
    try text.withUTF8 { bytes in
      var isFirst = true
      for part in parts.added.matcher.split(bytes, parseSpecial: parseSpecial) {
        switch part {
        case .token(let id): ids.append(id)
        case .text(let range):
          let stretch = UnsafeBufferPointer(rebasing: bytes[range])
          try Self.with(try parts.normalizer.normalized(stretch), or: stretch) {
            try encode($0, isFirst: isFirst, parseSpecial: parseSpecial, with: &encoder, into: &ids)
          }
        }
        isFirst = false
      }
    }
    return addSpecial ? ids + parts.suffix : ids
  }

  /// Encodes a normalized stretch between added tokens.
  private func encode(
    _ stretch: UnsafeBufferPointer<UInt8>, isFirst: Bool, parseSpecial: Bool,
    with encoder: inout WordEncoder, into ids: inout [Token]
  ) throws {
    var isFirst = isFirst
    for part in parts.added.normalizedMatcher.split(stretch, parseSpecial: parseSpecial) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range):
        let text = UnsafeBufferPointer(rebasing: stretch[range])
        let cut = try parts.preTokenizer.cut(text, isFirst: isFirst)
        try Self.with(cut.changed, or: text) { text in
          for word in cut.words {
            try encoder.encode(UnsafeBufferPointer(rebasing: text[word]), into: &ids)
          }
        }
      }
      isFirst = false
    }
  }

  private static func with(
    _ changed: [UInt8]?, or text: UnsafeBufferPointer<UInt8>,
    _ body: (UnsafeBufferPointer<UInt8>) throws -> Void
  ) rethrows {
    if let changed { try changed.withUnsafeBufferPointer(body) } else { try body(text) }
  }

  /// The bytes a token adds to a text.
  package func bytes(of id: Token) -> [UInt8] {
    if parts.added[id] != nil { return parts.decoder.bytes(of: parts.added.surface(of: id)) }
    let bytes = parts.model.bytes(of: id)
    return parts.model.isByteLevel ? Array(bytes) : parts.decoder.bytes(of: bytes)
  }

  package func isSpecial(_ id: Token) -> Bool { parts.added.isSpecial(id) }

  /// The token's spelling in the vocabulary, or as an added token.
  package func piece(of id: Token) -> String? {
    parts.added[id]?.content ?? parts.model.spelling(of: id)
  }

  /// The token with this spelling in the vocabulary, or as an added token.
  package func id(of piece: String) -> Token? {
    parts.added.id(of: piece) ?? parts.model.token(ofSpelling: piece)
  }
}
