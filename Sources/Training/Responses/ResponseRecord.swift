import Foundation
import Tensors

/// Responses as bytes.
///
/// Little-endian: a fingerprint of what follows, document, prompt length, token count, and 32-bit
/// tokens.
enum ResponseRecord {
  private static let headCount = 20

  /// Appends a response.
  static func append(_ response: Response, to data: inout Data) {
    var body = Data()
    let numbers = [response.document, response.promptLength, response.tokens.count]
    for value in numbers.map({ Int32($0) }) + response.tokens {
      withUnsafeBytes(of: value.littleEndian) { body.append(contentsOf: $0) }
    }
    let print = body.withUnsafeBytes { FileFingerprint.of(bytes: $0) }
    withUnsafeBytes(of: print.littleEndian) { data.append(contentsOf: $0) }
    data.append(body)
  }

  /// Reads whole records; returns them and where the first that isn't whole begins.
  static func read(
    _ bytes: UnsafeRawBufferPointer, from start: Int
  ) -> (responses: [Response], end: Int) {
    func integer(_ offset: Int) -> Int {
      Int(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
    }
    var (responses, offset) = ([Response](), start)
    while offset + headCount <= bytes.count {
      let (document, prompt, count) = (
        integer(offset + 8), integer(offset + 12), integer(offset + 16)
      )
      let end = offset + headCount + 4 * count
      guard document >= 0, prompt >= 0, count >= prompt, end <= bytes.count else { break }
      let body = UnsafeRawBufferPointer(rebasing: bytes[offset + 8..<end])
      let print = UInt64(
        littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      guard FileFingerprint.of(bytes: body) == print else { break }
      let tokens = (0..<count).map { Token(integer(offset + headCount + 4 * $0)) }
      responses.append(Response(tokens: tokens, promptLength: prompt, document: document))
      offset = end
    }
    return (responses, offset)
  }
}
