import Files
import Foundation

/// What a SentencePiece model file holds: its pieces, and how texts are treated before they are cut.
///
/// Field numbers are those of `sentencepiece_model.proto` (google/sentencepiece, v0.1.97).
struct SentencePieceContents {
  struct Piece {
    var text = ""
    var score: Float = 0
    /// 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
    var kind = 1
  }

  private(set) var pieces: [Piece] = []
  /// 1 unigram, 2 byte pairs.
  private(set) var algorithm: UInt64 = 1
  private(set) var fallsBackToBytes = false
  private(set) var addsDummyPrefix = true
  private(set) var removesExtraSpaces = true
  /// Whether characters are replaced before a text is cut.
  private(set) var replacesCharacters = false

  /// Reads a serialized model; `name` stands for it in error messages.
  init(model: Data, name: String) throws {
    var message = ProtobufReader(model, name: name)
    while let field = try message.next() {
      guard case .bytes(let content) = field.value else { continue }
      var part = ProtobufReader(content, name: name)
      switch field.number {
      case 1: pieces.append(try Self.piece(&part))
      case 2:
        while let field = try part.next() {
          guard case .integer(let value) = field.value else { continue }
          if field.number == 3 { algorithm = value }
          if field.number == 35 { fallsBackToBytes = value != 0 }
        }
      case 3:
        while let field = try part.next() {
          switch (field.number, field.value) {
          case (2, .bytes(let map)): replacesCharacters = !map.isEmpty
          case (3, .integer(let flag)): addsDummyPrefix = flag != 0
          case (4, .integer(let flag)): removesExtraSpaces = flag != 0
          default: break
          }
        }
      default: break
      }
    }
  }

  private static func piece(_ message: inout ProtobufReader) throws -> Piece {
    var piece = Piece()
    while let field = try message.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let text)): piece.text = String(decoding: text, as: UTF8.self)
      case (2, .fixed(let bytes)) where bytes.count == 4:
        let bits = bytes.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        piece.score = Float(bitPattern: bits)
      case (3, .integer(let kind)) where kind <= 6: piece.kind = Int(kind)
      default: break
      }
    }
    return piece
  }
}
