import Foundation

/// Writes a SentencePiece model of pieces, scores and kinds that another file holds, field by field
/// (`sentencepiece_model.proto`, v0.1.97).
struct SentencePieceModelWriter {
  /// How words become pieces, by the number that the format has for it.
  enum Kind: UInt64 {
    case unigram = 1
    case bytePairs
  }

  private var pieces = Data()

  /// Adds the next piece; `kind` is the number that the format has for it.
  mutating func add(_ text: String, score: Float, kind: Int) {
    var message = Data()
    Self.append(Data(text.utf8), field: 1, to: &message)
    message.append(2 << 3 | 5)
    withUnsafeBytes(of: score.bitPattern.littleEndian) { message.append(contentsOf: $0) }
    Self.append(UInt64(kind), field: 3, to: &message)
    Self.append(message, field: 1, to: &pieces)
  }

  /// The serialized model.
  ///
  /// - Parameters:
  ///   - characterMap: What is done to characters first (`precompiled_charsmap`); empty for nothing.
  ///   - unknown: The spelling of the piece for what can't be spelled; nil for the usual one. So `begin`
  ///     and `end`.
  func finished(
    _ kind: Kind, characterMap: Data, unknown: String?, begin: String?, end: String?,
    fallsBackToBytes: Bool, addsSpace: Bool,
    removesSpaces: Bool
  ) -> Data {
    var trainer = Data()
    Self.append(kind.rawValue, field: 3, to: &trainer)
    Self.append(fallsBackToBytes ? 1 : 0, field: 35, to: &trainer)
    for (field, text) in [(45, unknown), (46, begin), (47, end)] as [(UInt64, String?)] {
      if let text { Self.append(Data(text.utf8), field: field, to: &trainer) }
    }
    var normalizer = Data()
    Self.append(Data("identity".utf8), field: 1, to: &normalizer)
    if !characterMap.isEmpty { Self.append(characterMap, field: 2, to: &normalizer) }
    Self.append(addsSpace ? 1 : 0, field: 3, to: &normalizer)
    Self.append(removesSpaces ? 1 : 0, field: 4, to: &normalizer)
    var model = pieces
    Self.append(trainer, field: 2, to: &model)
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
