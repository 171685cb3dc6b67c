package import Foundation

/// Writes SentencePiece BPE model files for tests, field by field
/// (`sentencepiece_model.proto`, v0.1.97).
package struct SentencePieceModelBuilder {
  package enum Kind: UInt64 { case normal = 1, unknown, control, userDefined, unused, byte }

  /// Of normal pieces earlier ones merge first.
  package var pieces: [(text: String, kind: Kind)]
  package var addsDummyPrefix = false
  package var removesExtraSpaces = false
  package var suffixSpace = false

  /// A model of these pieces alone.
  package init(pieces: [(text: String, kind: Kind)]) { self.pieces = pieces }

  /// Three special pieces, `extra`, the 256 byte pieces and then `words`.
  package init(words: [String], extra: [(text: String, kind: Kind)] = []) {
    let special = [("<unk>", Kind.unknown), ("<s>", .control), ("</s>", .control)]
    pieces = special + extra + Self.bytes + words.map { ($0, .normal) }
  }

  private static var bytes: [(text: String, kind: Kind)] {
    (0..<256).map { (String(format: "<0x%02X>", $0), .byte) }
  }

  /// The serialized model.
  package var data: Data {
    var model = Data()
    for (index, piece) in pieces.enumerated() {
      var message = Data()
      Self.append(Data(piece.text.utf8), field: 1, to: &message)
      message.append(2 << 3 | 5)
      withUnsafeBytes(of: (-Float(index)).bitPattern.littleEndian) {
        message.append(contentsOf: $0)
      }
      Self.append(piece.kind.rawValue, field: 3, to: &message)
      Self.append(message, field: 1, to: &model)
    }
    var trainer = Data()
    Self.append(2, field: 3, to: &trainer)
    Self.append(suffixSpace ? 1 : 0, field: 24, to: &trainer)
    Self.append(pieces.contains { $0.kind == .byte } ? 1 : 0, field: 35, to: &trainer)
    Self.append(trainer, field: 2, to: &model)
    var normalizer = Data()
    Self.append(Data("identity".utf8), field: 1, to: &normalizer)
    Self.append(addsDummyPrefix ? 1 : 0, field: 3, to: &normalizer)
    Self.append(removesExtraSpaces ? 1 : 0, field: 4, to: &normalizer)
    Self.append(normalizer, field: 3, to: &model)
    return model
  }

  private static func append(_ value: UInt64, field: UInt64, to data: inout Data) {
    varint(field << 3, to: &data)
    varint(value, to: &data)
  }

  private static func append(_ bytes: Data, field: UInt64, to data: inout Data) {
    varint(field << 3 | 2, to: &data)
    varint(UInt64(bytes.count), to: &data)
    data += bytes
  }

  private static func varint(_ value: UInt64, to data: inout Data) {
    var value = value
    while value > 0x7F {
      data.append(UInt8(value & 0x7F) | 0x80)
      value >>= 7
    }
    data.append(UInt8(value))
  }
}
