extension PatternTranslator {
  /// Reads what follows a backslash; returns the character if it stands for one.
  mutating func escape() throws -> Unicode.Scalar? {
    guard index < scalars.count else { throw refusal("\\") }
    let scalar = scalars[index]
    switch scalar {
    case "A", "z", "Z":
      append("\\\(scalar)")
      (index, item) = (index + 1, nil)
    case "b", "B":
      index += 1
      let word = "[\(PatternClass.word)]"
      appendItem(
        scalar == "b"
          ? "(?:(?<=\(word))(?!\(word))|(?<!\(word))(?=\(word)))"
          : "(?:(?<=\(word))(?=\(word))|(?<!\(word))(?!\(word)))")
      item = nil
    case "R":
      index += 1
      appendItem(#"(?>\r\n|[\n-\r\x{85}\x{2028}\x{2029}])"#)
    default:
      if let set = try setEscape(inClass: false) {
        appendItem(set.pattern)
      } else {
        return try characterEscape(inClass: false)
      }
    }
    return nil
  }

  /// A set of characters at the letter behind a backslash, nil where none is.
  mutating func setEscape(inClass: Bool) throws -> PatternClass? {
    let letter = scalars[index]
    let isNegated = "DWSHP".unicodeScalars.contains(letter)
    let set: PatternClass
    switch letter {
    case "d", "D": set = PatternClass(#"\p{Nd}"#)
    case "w", "W": set = PatternClass(inClass ? PatternClass.standardWord : PatternClass.word)
    case "s", "S": set = PatternClass(PatternClass.space)
    case "h", "H": set = PatternClass("0-9A-Fa-f")
    case "p", "P":
      guard index + 1 < scalars.count, scalars[index + 1] == "{",
        let end = scalars[index...].firstIndex(of: "}")
      else { throw refusal("\\\(letter)") }
      var name = String(String.UnicodeScalarView(scalars[index + 2..<end]))
      let isComplement = name.hasPrefix("^")
      if isComplement { name.removeFirst() }
      guard let property = PatternClass.property(name) else { throw refusal("\\p{\(name)}") }
      index = end + 1
      return isNegated != isComplement ? property.complement : property
    default: return nil
    }
    index += 1
    return isNegated ? set.complement : set
  }

  /// The character that the letters behind a backslash stand for.
  mutating func characterEscape(inClass: Bool) throws -> Unicode.Scalar {
    let scalar = scalars[index]
    index += 1
    switch scalar {
    case "t": return "\t"
    case "n": return "\n"
    case "r": return "\r"
    case "f": return "\u{C}"
    case "v": return "\u{B}"
    case "a": return "\u{7}"
    case "e": return "\u{1B}"
    case "b" where inClass: return "\u{8}"
    case "x", "u":
      let isBraced = scalar == "x" && skip("{")
      let limit = isBraced ? 8 : scalar == "u" ? 4 : 2
      let digits = scalars[index...].prefix(limit).prefix { $0.properties.isASCIIHexDigit }
      index += digits.count
      let text = String(String.UnicodeScalarView(digits))
      guard let value = UInt32(text, radix: 16), let result = Unicode.Scalar(value),
        !isBraced || skip("}"), scalar == "x" || text.count == 4,
        isBraced || scalar == "u" || value < 0x80
      else { throw refusal("\\\(scalar)\(text)") }
      return result
    case "a"..."z", "A"..."Z", "0"..."9": throw refusal("\\\(scalar)")
    default: return scalar
    }
  }
}
