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
    default:
      if scalar.properties.generalCategory == .control
        || scalar.properties.generalCategory == .lineSeparator
        || scalar.properties.generalCategory == .paragraphSeparator
      {
        text += "\\u{" + String(scalar.value, radix: 16) + "}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
  return text + (name.unicodeScalars.count > limit ? "…\"" : "\"")
}

/// A string as a JSON string literal with its quotes, as Python's `json.dumps` writes it.
///
/// - Parameter asciiOnly: Whether characters beyond ASCII, and DEL, are escaped too.
package func jsonLiteral(_ string: String, asciiOnly: Bool = false) -> String {
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
