package import Files
package import Foundation

/// Training text as one long stream of tokens, documents joined by an end token.
///
/// Two bytes a token, little-endian, without a header, so that any tool can write one.
package struct TokenStream: Sendable {
  private let file: MappedFile

  package let count: Int

  /// Maps a file of little-endian 16-bit tokens.
  package init(contentsOf url: URL, vocabularySize: Int) throws {
    file = try MappedFile(url: url)
    let bytes = file.bytes
    guard !bytes.isEmpty, bytes.count % 2 == 0 else {
      throw SpeculateError(
        "\(url.path) holds \(bytes.count) bytes, which isn't a whole number of 16-bit tokens: "
          + "make it again")
    }
    count = bytes.count / 2
    let highest = stride(from: 0, to: bytes.count, by: 2).reduce(0) {
      max($0, Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: $1, as: UInt16.self))))
    }
    guard highest < vocabularySize else {
      throw SpeculateError(
        "\(url.path) holds the token \(highest), but the vocabulary has \(vocabularySize): it was "
          + "made with another tokenizer; make it again or give the right ‘vocabulary’")
    }
  }

  package func copy(_ start: Int, count: Int, to destination: UnsafeMutablePointer<Token>) {
    precondition(start >= 0 && start + count <= self.count, "the range lies in the stream")
    let bytes = file.bytes
    for i in 0..<count {
      destination[i] = Token(
        UInt16(
          littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * (start + i), as: UInt16.self)))
    }
  }
}
