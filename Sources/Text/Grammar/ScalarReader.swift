import Files

/// Reads a text character by character: what readers of rules and of patterns share.
protocol ScalarReader {
  var text: [Unicode.Scalar] { get }
  /// The number of the next character.
  var place: Int { get set }

  /// An error that says where the text is wrong.
  func problem(_ message: String) -> SpeculateError
}

extension ScalarReader {
  /// The next character; `nil` at the end.
  var peek: Unicode.Scalar? { place < text.count ? text[place] : nil }

  /// Goes behind a word that stands here.
  mutating func take(_ word: String) -> Bool {
    let word = Array(word.unicodeScalars)
    guard text[place...].starts(with: word) else { return false }
    place += word.count
    return true
  }

  /// A count of repetitions; `nil` where none stands.
  mutating func readCount() throws(SpeculateError) -> Int? {
    let start = place
    while let digit = peek, ("0"..."9").contains(digit) { place += 1 }
    guard place > start else { return nil }
    var digits = ""
    digits.unicodeScalars.append(contentsOf: text[start..<place])
    guard let count = Int(digits), count <= GBNFParser.mostRepetitions else {
      throw problem(
        "\(quoted(digits)) is too large a count; use at most \(GBNFParser.mostRepetitions)")
    }
    return count
  }

  /// A character by its number.
  ///
  /// - Parameter count: hexadecimal digits, up to 8.
  mutating func readHexadecimal(_ count: Int) throws(SpeculateError) -> Unicode.Scalar {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let digit = peek.flatMap({ Character($0).hexDigitValue }), value >> 28 == 0 else {
        throw problem("\(count) hexadecimal digits should stand here")
      }
      value = value << 4 | UInt32(digit)
      place += 1
    }
    guard let scalar = Unicode.Scalar(value) else {
      throw problem("no character has the number \(String(value, radix: 16))")
    }
    return scalar
  }
}
