import Files

extension Tokenizer {
  /// Tells tokenizers apart by what their tokens spell, however a file writes that: a hash of the bytes of all
  /// tokens that have any.
  package var fingerprint: UInt64 {
    var hash = FNV1a()
    for id in 0..<Token(vocabularySize) {
      let bytes = bytes(of: id)
      guard !bytes.isEmpty else { continue }
      hash.add(word: UInt64(id))
      hash.add(bytes)
    }
    return hash.value
  }
}
