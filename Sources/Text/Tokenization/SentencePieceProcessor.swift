import CSentencePiece
import Files
import Foundation

/// Owns the SentencePiece library's processor of one model.
///
/// Unchecked because it holds a pointer: the processor is immutable once loaded, and the library
/// documents its const functions, which are all that is used here, as thread-safe.
final class SentencePieceProcessor: @unchecked Sendable {
  private let handle: OpaquePointer
  let vocabularySize: Token

  /// Loads a serialized model; `name` stands for it in error messages.
  init(model: Data, name: String) throws {
    var message: UnsafeMutablePointer<CChar>?
    let handle = model.withUnsafeBytes { csp_load($0.baseAddress, $0.count, &message) }
    defer { csp_free(message) }
    guard let handle else {
      let reason = message.map { String(cString: $0) } ?? "out of memory"
      throw SpeculateError(
        "\(name) is not a usable SentencePiece model: \(reason.split(separator: "\n").joined())")
    }
    self.handle = handle
    vocabularySize = csp_vocabulary_size(handle)
  }

  deinit { csp_destroy(handle) }

  var beginToken: Token? { valid(csp_bos_id(handle)) }
  var endToken: Token? { valid(csp_eos_id(handle)) }

  private func valid(_ id: Token) -> Token? { id >= 0 && id < vocabularySize ? id : nil }

  func kind(_ id: Token) -> csp_kind { csp_piece_kind(handle, id) }

  /// The piece's spelling; empty outside the vocabulary.
  func piece(_ id: Token) -> String {
    var count = 0
    guard let text = csp_piece(handle, id, &count) else { return "" }
    return text.withMemoryRebound(to: UInt8.self, capacity: count) {
      String(decoding: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self)
    }
  }

  /// Appends the ids of a text, given as UTF-8.
  ///
  /// - Throws: `SpeculateError` when there is no memory for it: a loaded model encodes every text.
  func encode(_ text: UnsafeBufferPointer<UInt8>, into ids: inout [Token]) throws {
    guard let base = text.baseAddress, !text.isEmpty else { return }
    var encoded: UnsafeMutablePointer<Token>?
    let count = base.withMemoryRebound(to: CChar.self, capacity: text.count) {
      csp_encode(handle, $0, text.count, &encoded)
    }
    defer { csp_free(encoded) }
    guard count >= 0 else {
      throw SpeculateError("there is no memory to encode a text of \(text.count) bytes")
    }
    ids.append(contentsOf: UnsafeBufferPointer(start: encoded, count: count))
  }

  /// What the library decodes ids to; `nil` when one is outside the vocabulary.
  func decode(_ ids: [Token]) -> [UInt8]? {
    var text: UnsafeMutablePointer<CChar>?
    let count = csp_decode(handle, ids, ids.count, &text)
    defer { csp_free(text) }
    guard count >= 0, let text else { return nil }
    return UnsafeRawBufferPointer(start: text, count: count).map { $0 }
  }
}
