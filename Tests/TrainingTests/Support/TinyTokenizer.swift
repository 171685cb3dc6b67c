import Foundation

/// A SentencePiece BPE model of a few pieces, written field by field
/// (`sentencepiece_model.proto`, v0.1.97).
enum TinyTokenizer {
  static let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)
  static let words = ["▁", "ab", "cd", "▁a", "abcd"]

  /// `<unk>`, `<s>`, `</s>`, `<mask>`, the line end, words, letters.
  static let vocabulary = 5 + words.count + letters.count

  /// The serialized model.
  static var data: Data { data(words: words + letters) }

  /// A model with other words.
  static func data(words: [String], endPiece: String = "</s>") -> Data {
    let (normal, unknown, control, user) = (1, 2, 3, 4)
    var pieces = [
      ("<unk>", unknown), ("<s>", control), (endPiece, control), ("<mask>", control), ("\n", user),
    ]
    pieces += words.map { ($0, normal) }
    var model = Data()
    for (index, piece) in pieces.enumerated() {
      var message = Data()
      append(Data(piece.0.utf8), field: 1, to: &message)
      message.append(2 << 3 | 5)
      withUnsafeBytes(of: (-Float(index)).bitPattern.littleEndian) {
        message.append(contentsOf: $0)
      }
      append(piece.1, field: 3, to: &message)
      append(message, field: 1, to: &model)
    }
    var trainer = Data()
    append(2, field: 3, to: &trainer)  // BPE
    append(trainer, field: 2, to: &model)
    var normalizer = Data()
    append(Data("identity".utf8), field: 1, to: &normalizer)
    append(0, field: 3, to: &normalizer)  // no space in front
    append(0, field: 4, to: &normalizer)  // keep repeated spaces
    append(normalizer, field: 3, to: &model)
    return model
  }

  private static func append(_ value: Int, field: Int, to data: inout Data) {
    varint(field << 3, to: &data)
    varint(value, to: &data)
  }

  private static func append(_ bytes: Data, field: Int, to data: inout Data) {
    varint(field << 3 | 2, to: &data)
    varint(bytes.count, to: &data)
    data += bytes
  }

  private static func varint(_ value: Int, to data: inout Data) {
    var value = value
    while value > 0x7F {
      data.append(UInt8(value & 0x7F) | 0x80)
      value >>= 7
    }
    data.append(UInt8(value))
  }
}
