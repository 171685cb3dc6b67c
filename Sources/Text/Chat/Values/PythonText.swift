import Foundation

/// Texts and numbers as Python sees and prints them: by Unicode scalars, never by what a person
/// takes for one character.
enum PythonText {
  /// Whether Python's `str.isspace` holds.
  static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
  }

  /// Without the characters that satisfy a condition at the chosen ends.
  static func stripped(
    _ text: String, left: Bool = true, right: Bool = true,
    where isDropped: (Unicode.Scalar) -> Bool = PythonText.isSpace
  ) -> String {
    let scalars = text.unicodeScalars
    var start = scalars.startIndex
    var end = scalars.endIndex
    while left, start < end, isDropped(scalars[start]) { start = scalars.index(after: start) }
    while right, start < end {
      let last = scalars.index(before: end)
      guard isDropped(scalars[last]) else { break }
      end = last
    }
    return String(scalars[start..<end])
  }

  /// Where a text occurs in another, without overlaps, as ranges of bytes.
  ///
  /// - Parameter limit: The most places to look for.
  /// - Complexity: O(n + m), by Knuth, Morris and Pratt.
  static func places(of needle: [UInt8], in text: [UInt8], limit: Int = .max) -> [Range<Int>] {
    guard !needle.isEmpty, needle.count <= text.count, limit > 0 else { return [] }
    // The longest proper prefix that ends each prefix.
    var borders = [Int](repeating: 0, count: needle.count)
    var matched = 0
    for index in 1..<needle.count {
      while matched > 0, needle[index] != needle[matched] { matched = borders[matched - 1] }
      if needle[index] == needle[matched] { matched += 1 }
      borders[index] = matched
    }
    var places: [Range<Int>] = []
    matched = 0
    for (index, byte) in text.enumerated() {
      while matched > 0, byte != needle[matched] { matched = borders[matched - 1] }
      if byte == needle[matched] { matched += 1 }
      if matched == needle.count {
        places.append(index + 1 - needle.count..<index + 1)
        if places.count == limit { return places }
        matched = 0
      }
    }
    return places
  }

  static func contains(_ text: String, _ needle: String) -> Bool {
    needle.isEmpty || !places(of: Array(needle.utf8), in: Array(text.utf8), limit: 1).isEmpty
  }

  static func ends(_ text: String, with part: String) -> Bool {
    text.utf8.reversed().starts(with: part.utf8.reversed())
  }

  /// With the places of a text replaced by another; an empty one is between all characters.
  static func replaced(_ text: String, _ old: String, _ new: String, limit: Int = .max) -> String {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var start = 0
    var places = places(of: Array(old.utf8), in: bytes, limit: limit)
    if old.isEmpty {
      let starts = bytes.indices.filter { bytes[$0] & 0xC0 != 0x80 } + [bytes.count]
      places = starts.prefix(limit).map { $0..<$0 }
    }
    for place in places {
      result += bytes[start..<place.lowerBound]
      result += Array(new.utf8)
      start = place.upperBound
    }
    result += bytes[start...]
    return String(decoding: result, as: UTF8.self)
  }

  /// The parts between the places of a text, which is not empty.
  static func parts(_ text: String, between separator: String, limit: Int = .max) -> [String] {
    let bytes = Array(text.utf8)
    var start = 0
    var parts: [String] = []
    for place in places(of: Array(separator.utf8), in: bytes, limit: limit) {
      parts.append(String(decoding: bytes[start..<place.lowerBound], as: UTF8.self))
      start = place.upperBound
    }
    return parts + [String(decoding: bytes[start...], as: UTF8.self)]
  }

  /// The words between blanks; after `limit` of them comes the rest as one.
  static func words(_ text: String, limit: Int = .max) -> [String] {
    var words: [String] = []
    var rest = text.unicodeScalars[...]
    while true {
      rest = rest.drop(while: isSpace)
      if rest.isEmpty { return words }
      if words.count == limit { return words + [stripped(String(rest), left: false)] }
      let word = rest.prefix { !isSpace($0) }
      words.append(String(word))
      rest = rest[word.endIndex...]
    }
  }

  /// The lines, by all of Python's line ends.
  static func lines(_ text: String, keepEnds: Bool = false) -> [String] {
    let ends: Set<Unicode.Scalar> = [
      "\n", "\r", "\u{B}", "\u{C}", "\u{1C}", "\u{1D}", "\u{1E}", "\u{85}", "\u{2028}", "\u{2029}",
    ]
    var lines: [String] = []
    var line = String.UnicodeScalarView()
    var wasReturn = false
    for scalar in text.unicodeScalars {
      if wasReturn, scalar == "\n" {
        wasReturn = false
        if keepEnds { lines[lines.count - 1].unicodeScalars.append(scalar) }
        continue
      }
      wasReturn = scalar == "\r"
      if ends.contains(scalar) {
        if keepEnds { line.append(scalar) }
        lines.append(String(line))
        line = String.UnicodeScalarView()
      } else {
        line.append(scalar)
      }
    }
    return line.isEmpty ? lines : lines + [String(line)]
  }

  /// A text for HTML, as `markupsafe.escape` writes it.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "'": result += "&#39;"
      case "\"": result += "&#34;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A number as Python's `repr` prints it: the shortest digits that are this number.
  static func float(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    // Swift's shortest digits are the same, but it changes to exponents elsewhere.
    let magnitude = abs(value)
    guard magnitude >= 1e16, !"\(value)".contains("e") else { return "\(value)" }
    var digits = "\(magnitude)".prefix { $0 != "." }
    let exponent = digits.count - 1
    while digits.count > 1, digits.last == "0" { digits.removeLast() }
    let fraction = digits.count > 1 ? ".\(digits.dropFirst())" : ""
    return "\(value < 0 ? "-" : "")\(digits.prefix(1))\(fraction)e+\(exponent)"
  }

  /// Appends a text in quotation marks, as Python's `repr` prints it.
  static func appendQuoted(_ value: String, to text: inout String) {
    let scalars = value.unicodeScalars
    let quote: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
    var result = String.UnicodeScalarView([quote])
    for scalar in scalars {
      switch scalar {
      case quote, "\\": result.append(contentsOf: ["\\", scalar])
      case "\n": result.append(contentsOf: ["\\", "n"])
      case "\r": result.append(contentsOf: ["\\", "r"])
      case "\t": result.append(contentsOf: ["\\", "t"])
      default:
        if isPrintable(scalar) {
          result.append(scalar)
        } else {
          result.append(contentsOf: escape(scalar).unicodeScalars)
        }
      }
    }
    result.append(quote)
    text += String(result)
  }

  /// Whether `repr` leaves a character as it is.
  static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .spaceSeparator: scalar == " "
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    default: true
    }
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    switch scalar.value {
    case ..<0x100: String(format: "\\x%02x", scalar.value)
    case ..<0x10000: String(format: "\\u%04x", scalar.value)
    default: String(format: "\\U%08x", scalar.value)
    }
  }
}
