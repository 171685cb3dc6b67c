import Foundation

/// Writes SentencePiece BPE model files for tests, field by field
/// (`sentencepiece_model.proto`, v0.1.97).
struct SentencePieceModelBuilder {
  enum Kind: UInt64 { case normal = 1, unknown, control, userDefined, unused, byte }

  var pieces: [(text: String, kind: Kind)] = [
    ("<unk>", .unknown), ("<s>", .control), ("</s>", .control),
  ]
  var addsDummyPrefix = false
  var removesExtraSpaces = false
  var suffixSpace = false

  /// The 256 byte pieces and then `words`, earlier ones merging first.
  init(words: [String], extra: [(String, Kind)] = []) {
    pieces += extra.map { (text: $0.0, kind: $0.1) }
    pieces += (0..<256).map { (text: "<0x" + Self.hex($0) + ">", kind: .byte) }
    pieces += words.map { (text: $0, kind: .normal) }
  }

  private static func hex(_ byte: Int) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
  }

  /// The serialized model.
  var data: Data {
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
    Self.append(1, field: 35, to: &trainer)
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
