import Files

/// The map of characters of a SentencePiece model (`precompiled_charsmap`): a double array of
/// darts-clone, whose values are places in a list of replacements, each ended by a zero byte.
///
/// The array is checked as a whole when it is read, so that no walk leaves it: neither this one nor
/// SentencePiece's own, which checks nothing.
struct PrecompiledCharacterMap: Sendable {
  /// The nodes and edges; a walk may take any byte from any node it reaches.
  private let units: [UInt32]
  /// The replacements, well-formed UTF-8 with a last zero byte.
  private let replacements: [UInt8]

  /// The longest replacement, in bytes.
  let longestReplacement: Int

  /// Reads and checks a map.
  ///
  /// - Throws: `SpeculateError` whose text says what is wrong, without a file's name.
  init(_ blob: some Collection<UInt8>) throws {
    let bytes = Array(blob)
    func word(_ index: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(bytes[index + $1]) << (8 * UInt32($1)) }
    }
    guard bytes.count >= 4, case let size = Int(word(0)), size % 4 == 0, size > 0,
      size <= bytes.count - 4
    else { throw SpeculateError("the map of characters is truncated") }
    units = stride(from: 4, to: 4 + size, by: 4).map(word)
    replacements = Array(bytes[(4 + size)...])
    guard replacements.last == 0,
      replacements.withUnsafeBufferPointer({ String(validating: $0, as: UTF8.self) }) != nil
    else { throw SpeculateError("the map of characters has no list of replacements") }
    longestReplacement = replacements.split(separator: 0).map(\.count).max() ?? 0
    try check()
  }

  // Darts-clone packs a node into 32 bits: an offset, the label that leads to it, and whether it has a
  // value.
  private static func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & 1 << 9) >> 6)) }
  private static func label(_ unit: UInt32) -> UInt32 { unit & (1 << 31 | 0xFF) }
  private static func hasValue(_ unit: UInt32) -> Bool { unit >> 8 & 1 == 1 }
  private static func value(_ unit: UInt32) -> Int { Int(unit & (1 << 31 - 1)) }

  /// Walks to every node there is a way to.
  private func check() throws {
    let damaged = SpeculateError("the map of characters is damaged")
    var isSeen = [Bool](repeating: false, count: units.count)
    var waiting = [Self.offset(units[0])]
    while let base = waiting.popLast() {
      // Every byte leads to a place within the 256 around.
      guard base | 0xFF < units.count else { throw damaged }
      for byte in 1..<256 {
        let node = base ^ byte
        guard Self.label(units[node]) == UInt32(byte), !isSeen[node] else { continue }
        isSeen[node] = true
        let next = node ^ Self.offset(units[node])
        waiting.append(next)
        guard next < units.count else { throw damaged }
        if Self.hasValue(units[node]) {
          let start = Self.value(units[next])
          guard start < replacements.count, replacements[start] & 0xC0 != 0x80 else {
            throw damaged
          }
        }
      }
    }
  }

  /// What the shortest beginning of a text that the map has becomes.
  private func replacement(of text: UnsafeBufferPointer<UInt8>) -> ArraySlice<UInt8>? {
    var base = Self.offset(units[0])
    for byte in text {
      guard byte != 0 else { return nil }
      let node = base ^ Int(byte)
      guard Self.label(units[node]) == UInt32(byte) else { return nil }
      base = node ^ Self.offset(units[node])
      if Self.hasValue(units[node]) {
        return replacements[Self.value(units[base])...].prefix { $0 != 0 }
      }
    }
    return nil
  }

  /// A text whose characters are replaced, as huggingface/tokenizers does it: what a reader sees as one
  /// character is looked for whole if it has less than six bytes, then scalar by scalar.
  func mapped(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var start = 0
    for character in String(decoding: text, as: UTF8.self) {
      let end = start + character.utf8.count
      if end - start < 6, let new = replacement(of: .init(rebasing: text[start..<end])) {
        result += new
        start = end
      }
      while start < end {
        let next = start + UTF8Scalars.length(text[start])
        let scalar = UnsafeBufferPointer(rebasing: text[start..<next])
        if let new = replacement(of: scalar) { result += new } else { result += scalar }
        start = next
      }
    }
    return result
  }
}
