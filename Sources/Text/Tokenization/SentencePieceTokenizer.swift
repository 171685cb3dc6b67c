import CSentencePiece
package import Files
package import Foundation

/// A SentencePiece model (`tokenizer.model`), encoded by the SentencePiece library.
///
/// Decoding works on the bytes of each piece instead, so that it is the same token by token as all
/// at once; it differs from the library only in how it replaces bytes that form no character.
package final class SentencePieceTokenizer: Tokenizer {
  private let processor: SentencePieceProcessor
  /// What each token adds to a text; empty for control pieces.
  private let surfaces: [[UInt8]]
  private let pieces: [String]
  /// By UTF-8 bytes: equal strings in Swift may be different pieces (canonical equivalence).
  private let ids: [[UInt8]: Token]
  private let control: Set<Token>
  private let matcher: AddedTokenMatcher
  private let addsBegin: Bool
  private let addsEnd: Bool

  package var vocabularySize: Int { pieces.count }
  package let beginToken: Token?
  /// The model's end piece, if it has one.
  package let endTokens: [Token]
  /// Whether the model puts a space in front of every text.
  package let leadingSpaceRule: LeadingSpaceRule

  /// Loads a model from a file.
  ///
  /// - Parameters:
  ///   - file: The serialized model.
  ///   - addsBegin: Whether `addSpecial` puts the begin piece in front of a text.
  ///   - addsEnd: Whether `addSpecial` puts the end piece behind a text.
  /// - Throws: `SpeculateError` when the file cannot be read or is not a SentencePiece model.
  package convenience init(file: URL, addsBegin: Bool = true, addsEnd: Bool = false) throws {
    try self.init(
      model: TokenizerFiles.read(file), name: file.path, addsBegin: addsBegin, addsEnd: addsEnd)
  }

  /// Loads the `tokenizer.model` of a folder.
  convenience init(directory: URL, _ configuration: TokenizerConfiguration) throws {
    try self.init(
      file: directory.appending(path: "tokenizer.model"),
      addsBegin: configuration.addsBegin ?? true, addsEnd: configuration.addsEnd ?? false)
    let file = directory.appending(path: "added_tokens.json")
    guard TokenizerFiles.exists(file) else { return }
    let added = try JSONText(TokenizerFiles.read(file), name: file.path).root
    try added.forEachMember { content, id in
      guard let id = id.integer, pieces.indices.contains(id), pieces[id] == content.string else {
        throw added.error(
          "\(quoted(content.string ?? "")) is not in tokenizer.model, and adding tokens to one is "
            + "not supported; copy the checkpoint's tokenizer.json there")
      }
    }
  }

  /// Loads a model from its serialized bytes; `name` stands for it in error messages.
  ///
  /// - Throws: `SpeculateError` when the bytes are not a SentencePiece model.
  package init(model: Data, name: String, addsBegin: Bool = true, addsEnd: Bool = false) throws {
    let header = try SentencePieceHeader(model: model, name: name)
    processor = try SentencePieceProcessor(model: model, name: name)
    var surfaces: [[UInt8]] = []
    var pieces: [String] = []
    var ids: [[UInt8]: Token] = [:]
    var control: Set<Token> = []
    for id in 0..<processor.vocabularySize {
      let piece = processor.piece(id)
      pieces.append(piece)
      ids[Array(piece.utf8)] = id
      switch processor.kind(id) {
      case csp_kind_control:
        control.insert(id)
        surfaces.append([])
      case csp_kind_unknown: surfaces.append(processor.decode([id]) ?? [])
      case csp_kind_byte:
        guard let byte = BytePiece.byte(of: Array(piece.utf8)) else {
          throw SpeculateError(
            "\(name): byte piece \(id) is spelled \(quoted(piece)), not '<0xNN>'")
        }
        surfaces.append([byte])
      default: surfaces.append(PieceDecoder.sentencePieceSpaces.bytes(of: piece.utf8))
      }
    }
    self.surfaces = surfaces
    self.pieces = pieces
    self.ids = ids
    self.control = control
    matcher = AddedTokenMatcher(
      control.sorted().map { id in
        let piece = pieces[Int(id)]
        return (Array(piece.utf8), AddedToken(id: id, content: piece, special: true))
      })
    beginToken = processor.beginToken
    endTokens = processor.endToken.map { [$0] } ?? []
    self.addsBegin = addsBegin
    self.addsEnd = addsEnd
    leadingSpaceRule = header.leadingSpaceRule
  }

  /// The ids of a text, with the begin and end pieces the model's files ask for.
  ///
  /// - Throws: `SpeculateError` when there is no memory for it.
  package func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) throws -> [Token] {
    var ids: [Token] = []
    if addSpecial, addsBegin, let beginToken { ids.append(beginToken) }
    var text = text
    try text.withUTF8 { bytes in
      for part in matcher.split(bytes, parseSpecial: parseSpecial) {
        switch part {
        case .text(let range): try processor.encode(.init(rebasing: bytes[range]), into: &ids)
        case .token(let id): ids.append(id)
        }
      }
    }
    if addSpecial, addsEnd { ids += endTokens }
    return ids
  }

  /// The bytes a piece adds to a text: `"▁"` is a space, `"<0x41>"` is one byte.
  package func bytes(of id: Token) -> [UInt8] {
    surfaces.indices.contains(Int(id)) ? surfaces[Int(id)] : []
  }

  package func isSpecial(_ id: Token) -> Bool { control.contains(id) }

  package func piece(of id: Token) -> String? {
    pieces.indices.contains(Int(id)) ? pieces[Int(id)] : nil
  }

  package func id(of piece: String) -> Token? { ids[Array(piece.utf8)] }
}
