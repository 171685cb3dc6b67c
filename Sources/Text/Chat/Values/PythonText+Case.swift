/// Upper and lower case as Python's methods of `str` have it.
extension PythonText {
  private static func isCased(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isLowercase || scalar.properties.isUppercase
      || scalar.properties.generalCategory == .titlecaseLetter
  }

  /// Whether letters that have a case are there, and all in lower case.
  static func isLower(_ text: String) -> Bool {
    let cased = text.unicodeScalars.filter(isCased)
    return !cased.isEmpty && cased.allSatisfy(\.properties.isLowercase)
  }

  /// Whether letters that have a case are there, and all in upper case.
  static func isUpper(_ text: String) -> Bool {
    let cased = text.unicodeScalars.filter(isCased)
    return !cased.isEmpty && cased.allSatisfy(\.properties.isUppercase)
  }

  static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.numericType == .decimal || scalar.properties.numericType == .digit
  }

  /// The first character as at the beginning of a title, the others in lower case.
  static func capitalized(_ text: String) -> String {
    guard let first = text.unicodeScalars.first else { return text }
    return first.properties.titlecaseMapping + String(text.unicodeScalars.dropFirst()).lowercased()
  }

  /// Every letter behind something without case as in a title, the others in lower case.
  static func titled(_ text: String) -> String {
    var result = ""
    var isInside = false
    for scalar in text.unicodeScalars {
      result += isInside ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping
      isInside = isCased(scalar)
    }
    return result
  }

  /// The number of words of letters, digits and underscores.
  static func letterRuns(_ text: String) -> Int {
    var count = 0
    var isInside = false
    for scalar in text.unicodeScalars {
      let isWord = scalar == "_" || isLetter(scalar) || scalar.properties.numericType != nil
      if isWord && !isInside { count += 1 }
      isInside = isWord
    }
    return count
  }

  /// Upper case for lower case, and the other way round.
  static func swappingCase(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
      result +=
        scalar.properties.isUppercase
        ? scalar.properties.lowercaseMapping : scalar.properties.uppercaseMapping
    }
  }

  /// A text to compare regardless of case, by Unicode's full case folding but for Cherokee's letters.
  static func caseFolded(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
      let lower = scalar.properties.lowercaseMapping
      result += scalar == "ı" ? lower : lower.uppercased().lowercased()
    }
  }

  /// Whether letters are there that have a case, upper where a word begins and lower within.
  static func isTitle(_ text: String) -> Bool {
    var (isInside, isFound) = (false, false)
    for scalar in text.unicodeScalars {
      if scalar.properties.isLowercase {
        guard isInside else { return false }
        isFound = true
      } else if isCased(scalar) {
        guard !isInside else { return false }
        isFound = true
      }
      isInside = isCased(scalar)
    }
    return isFound
  }

  /// Blanks for tabs, up to the next column that is a multiple.
  static func expandingTabs(_ text: String, _ size: Int) -> String {
    var column = 0
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if scalar == "\t" {
        guard size > 0 else { continue }
        let blanks = size - column % size
        result.append(contentsOf: String(repeating: " ", count: blanks).unicodeScalars)
        column += blanks
      } else {
        column = scalar == "\n" || scalar == "\r" ? 0 : column + 1
        result.append(scalar)
      }
    }
    return String(result)
  }

  /// A text of at least some characters, zeros behind its sign filling it up.
  static func filledWithZeros(_ text: String, _ width: Int) -> String {
    let scalars = text.unicodeScalars
    guard let sign = scalars.first, sign == "+" || sign == "-" else {
      return padded(text, to: width, with: "0", ">")
    }
    return String(Character(sign))
      + padded(String(scalars.dropFirst()), to: max(width, 1) - 1, with: "0", ">")
  }
}
