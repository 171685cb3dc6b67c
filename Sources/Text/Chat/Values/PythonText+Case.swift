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
}
