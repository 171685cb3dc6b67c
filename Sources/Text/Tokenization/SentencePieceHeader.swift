import Files
import Foundation

/// The part of a SentencePiece model file that the library does not give out: how it treats
/// spaces. Reading it also finds out, before the library sees it, whether a file is truncated.
///
/// Field numbers are those of `sentencepiece_model.proto` (google/sentencepiece, v0.1.97).
struct SentencePieceHeader: Equatable {
  var pieceCount = 0
  /// Whether a space is put in front of every text.
  var addsDummyPrefix = true
  /// Whether leading, trailing and repeated spaces are removed.
  var removesExtraSpaces = true

  /// What decoding does with spaces at the beginning, as the library's `Decode` does it.
  var leadingSpaceRule: LeadingSpaceRule {
    removesExtraSpaces ? .dropAll : addsDummyPrefix ? .dropOne : .keep
  }

  /// Reads a serialized model; `name` stands for it in error messages.
  init(model: Data, name: String) throws {
    var message = ProtobufReader(model, name: name)
    while let field = try message.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let piece)):
        try Self.check(ProtobufReader(piece, name: name))
        pieceCount += 1
      case (2, .bytes(let trainer)):
        var trainer = ProtobufReader(trainer, name: name)
        while let field = try trainer.next() {
          if field.number == 24, case .integer(let flag) = field.value, flag != 0 {
            throw SpeculateError(
              "\(name): treat_whitespace_as_suffix is not supported; use a model without it")
          }
        }
      case (3, .bytes(let normalizer)):
        var normalizer = ProtobufReader(normalizer, name: name)
        while let field = try normalizer.next() {
          if field.number == 2, case .bytes(let map) = field.value, !map.isEmpty {
            do {
              _ = try PrecompiledCharacterMap(map)
            } catch {
              throw SpeculateError("\(name): precompiled_charsmap can't be used: \(error)")
            }
          }
          guard case .integer(let flag) = field.value else { continue }
          if field.number == 3 { addsDummyPrefix = flag != 0 }
          if field.number == 4 { removesExtraSpaces = flag != 0 }
        }
      case (5, .bytes(let denormalizer)):
        var denormalizer = ProtobufReader(denormalizer, name: name)
        while let field = try denormalizer.next() {
          if field.number == 2, case .bytes(let map) = field.value, !map.isEmpty {
            throw SpeculateError(
              "\(name): a denormalization map is not supported; use a model without one")
          }
        }
      default: break
      }
    }
    guard pieceCount > 0 else {
      throw SpeculateError("\(name) is not a SentencePiece model: it has no pieces")
    }
  }

  private static func check(_ message: ProtobufReader) throws {
    var message = message
    while try message.next() != nil {}
  }
}
