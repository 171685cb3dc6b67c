/// A name from a file in quotes, fit for a one-line message: control characters are escaped and a
/// very long name is cut.
package func quoted(_ name: String) -> String {
  let limit = 120
  var text = "\""
  for scalar in name.unicodeScalars.prefix(limit) {
    switch scalar {
    case "\"": text += "\\\""
    case "\\": text += "\\\\"
    case "\n": text += "\\n"
    default: text += visible(scalar)
    }
  }
  return text + (name.unicodeScalars.count > limit ? "…\"" : "\"")
}

/// A text as one line of a terminal or log, whatever it holds: characters that act on a terminal are
/// escaped, and of a very long line the middle is left out, since its end says what to do.
///
/// - Parameter limit: The most characters that are shown.
package func printable(_ text: String, limit: Int = .max) -> String {
  let shown = text.unicodeScalars.map(visible)
  guard shown.reduce(0, { $0 + $1.unicodeScalars.count }) > limit else { return shown.joined() }
  func beginning(_ parts: some Sequence<String>, _ most: Int) -> [String] {
    var room = most
    return parts.prefix {
      room -= $0.unicodeScalars.count
      return room >= 0
    }
  }
  let gap = " … "
  let head = beginning(shown, limit * 2 / 3)
  let tail = beginning(shown.reversed(), limit - limit * 2 / 3 - gap.count)
  return head.joined() + gap + tail.reversed().joined()
}

/// A character, or what stands for one that acts on a terminal: controls, line ends, and those that turn
/// the direction of writing.
private func visible(_ scalar: Unicode.Scalar) -> String {
  switch scalar.properties.generalCategory {
  case .control, .lineSeparator, .paragraphSeparator: break
  default:
    guard (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    else {
      return String(scalar)
    }
  }
  return "\\u{" + String(scalar.value, radix: 16) + "}"
}

/// A string as a JSON string literal with its quotes, as Python's `json.dumps` writes it.
///
/// - Parameter asciiOnly: Whether characters beyond ASCII, and DEL, are escaped too.
package func jsonLiteral(_ string: String, asciiOnly: Bool = false) -> String {
  let isPlain = string.utf8.allSatisfy {
    $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") && (!asciiOnly || $0 < 0x7F)
  }
  if isPlain { return "\"\(string)\"" }
  var text = "\""
  for scalar in string.unicodeScalars {
    switch scalar {
    case "\"": text += "\\\""
    case "\\": text += "\\\\"
    case "\n": text += "\\n"
    case "\r": text += "\\r"
    case "\t": text += "\\t"
    case "\u{8}": text += "\\b"
    case "\u{C}": text += "\\f"
    default:
      if scalar.value < 0x20 || asciiOnly && scalar.value >= 0x7F {
        for unit in String(scalar).utf16 {
          let hexadecimal = String(unit, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
        }
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
  return text + "\""
}
