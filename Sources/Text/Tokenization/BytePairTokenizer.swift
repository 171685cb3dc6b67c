package import Files
package import Foundation

/// A byte-pair tokenizer of a `tokenizer.json`, or of GPT-2's `vocab.json` and `merges.txt`:
/// byte-level as of GPT-2, Qwen and Llama 3, or over characters with byte fallback as of Llama 2.
///
/// Unlike huggingface/tokenizers, decoding replaces broken characters the same way for all kinds:
/// one U+FFFD for each maximal part of a character.
package final class BytePairTokenizer: Tokenizer {
  struct Parts: Sendable {
    var model: BytePairModel
    var added = AddedTokens([])
    var normalizer = TextNormalizer()
    var preTokenizer: PreTokenizer
    var prefix: [Token] = []
    var suffix: [Token] = []
    var leadingSpaceRule = LeadingSpaceRule.keep
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
  /// Whether pieces stand for bytes, not for characters.
  var isByteLevel: Bool { parts.model.symbols == .bytes }

  /// One more than the largest id of vocabulary and added tokens.
  package var vocabularySize: Int { max(parts.model.vocabularySize, parts.added.endID) }
  package var beginToken: Token? { parts.beginToken }
  package var endTokens: [Token] { parts.endTokens }
  /// Whether the tokenizer puts a space in front of a text.
  package var leadingSpaceRule: LeadingSpaceRule { parts.leadingSpaceRule }

  /// The ids of a text.
  ///
  /// - Complexity: O(n log n) in the length of the longest word, O(n) in the number of words.
  package func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) -> [Token] {
    var encoder = WordEncoder(model: parts.model)
    var ids = addSpecial ? parts.prefix : []
    var text = text
    text.withUTF8 { bytes in
      var isFirst = true
      for part in parts.added.matcher.split(bytes, parseSpecial: parseSpecial) {
        switch part {
        case .token(let id): ids.append(id)
        case .text(let range):
          let stretch = UnsafeBufferPointer(rebasing: bytes[range])
          Self.with(parts.normalizer.normalized(stretch), or: stretch) {
            encode($0, isFirst: isFirst, parseSpecial: parseSpecial, with: &encoder, into: &ids)
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
  ) {
    var isFirst = isFirst
    for part in parts.added.normalizedMatcher.split(stretch, parseSpecial: parseSpecial) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range):
        let text = UnsafeBufferPointer(rebasing: stretch[range])
        Self.with(parts.preTokenizer.rewritten(text, isFirst: isFirst), or: text) { text in
          for word in parts.preTokenizer.words(of: text) {
            encoder.encode(UnsafeBufferPointer(rebasing: text[word]), into: &ids)
          }
        }
      }
      isFirst = false
    }
  }

  private static func with(
    _ changed: [UInt8]?, or text: UnsafeBufferPointer<UInt8>,
    _ body: (UnsafeBufferPointer<UInt8>) -> Void
  ) {
    if let changed { changed.withUnsafeBufferPointer(body) } else { body(text) }
  }

  /// The bytes a token adds to a text.
  package func bytes(of id: Token) -> [UInt8] {
    guard parts.added[id] != nil else { return parts.model.surface(of: id) }
    let surface = parts.added.surface(of: id)
    return parts.model.symbols == .bytes ? surface : PreTokenizer.restoringSpaces(surface)
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
