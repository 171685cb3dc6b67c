import Foundation

/// How Python writes a value into a text of some width:
/// `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`, the format specifications of `str.format`.
struct PythonFormat {
  var fill: Unicode.Scalar = " "
  /// `<`, `>`, `^` or `=`; nil for what is usual for the value.
  var align: Unicode.Scalar?
  var sign: Unicode.Scalar = "-"
  var isAlternate = false
  var width = 0
  /// Between groups of digits: `,` or `_`.
  var grouping: Unicode.Scalar?
  var precision: Int?
  var type: Unicode.Scalar?

  init() {}

  /// Reads a specification.
  ///
  /// - Throws: `TemplateProblem` when it is none.
  init(_ specification: String) throws {
    var rest = Array(specification.unicodeScalars)[...]
    func isAlign(_ scalar: Unicode.Scalar?) -> Bool {
      scalar.map { "<>=^".unicodeScalars.contains($0) } ?? false
    }
    if isAlign(rest.dropFirst().first) {
      fill = rest.removeFirst()
      align = rest.removeFirst()
    } else if isAlign(rest.first) {
      align = rest.removeFirst()
    }
    if let mark = rest.first, "+- ".unicodeScalars.contains(mark) { sign = rest.removeFirst() }
    if rest.first == "#" {
      isAlternate = true
      rest.removeFirst()
    }
    if rest.first == "0" {
      rest.removeFirst()
      if align == nil { (fill, align) = ("0", "=") }
    }
    width = try Self.number(&rest) ?? 0
    if let mark = rest.first, mark == "," || mark == "_" { grouping = rest.removeFirst() }
    if rest.first == "." {
      rest.removeFirst()
      guard let digits = try Self.number(&rest) else {
        throw TemplateProblem(
          "the format '\(specification.prefix(60))' has no precision behind '.'")
      }
      precision = digits
    }
    type = rest.popFirst()
    guard rest.isEmpty, type.map({ "bcdeEfFgGnosxX%".unicodeScalars.contains($0) }) ?? true else {
      throw TemplateProblem("'\(specification.prefix(60))' is no format")
    }
  }

  /// The number in front, which is taken off.
  static func number(_ rest: inout ArraySlice<Unicode.Scalar>) throws -> Int? {
    let digits = rest.prefix { ("0"..."9").contains($0) }
    guard !digits.isEmpty else { return nil }
    rest = rest.dropFirst(digits.count)
    guard digits.count < 9 else { throw TemplateLimits.tooLong }
    return digits.reduce(0) { $0 * 10 + Int($1.value) - 48 }
  }

  /// A text in its place.
  func text(_ value: String) throws -> String {
    guard type == nil || type == "s", sign == "-", grouping == nil, !isAlternate, align != "="
    else {
      throw TemplateProblem("a text can't be written in this format")
    }
    let scalars = value.unicodeScalars
    let cut = precision.map { String(scalars.prefix($0)) } ?? value
    return padded(cut, by: align ?? "<")
  }

  /// A whole number in its place.
  func text(_ value: Int) throws -> String {
    guard let type, !"dn".unicodeScalars.contains(type) else {
      return try whole(value, radix: 10, prefix: "")
    }
    switch type {
    case "b": return try whole(value, radix: 2, prefix: "0b")
    case "o": return try whole(value, radix: 8, prefix: "0o")
    case "x", "X": return try whole(value, radix: 16, prefix: type == "x" ? "0x" : "0X")
    case "c":
      guard let scalar = UInt32(exactly: value).flatMap(Unicode.Scalar.init) else {
        throw TemplateProblem("\(value) is no character's code")
      }
      return padded(String(Character(scalar)), by: align ?? "<")
    case "s": throw TemplateProblem("a whole number has no format of type 's'")
    default: return try text(Double(value))
    }
  }

  private func whole(_ value: Int, radix: Int, prefix: String) throws -> String {
    guard precision == nil else {
      throw TemplateProblem("a whole number has no precision in a format")
    }
    let digits = String(value.magnitude, radix: radix, uppercase: type == "X")
    return placed(
      isNegative: value < 0, prefix: isAlternate ? prefix : "", digits: digits, rest: "",
      group: radix == 10 ? 3 : 4)
  }

  /// A number in its place.
  func text(_ value: Double) throws -> String {
    guard type.map({ !"bcdosxX".unicodeScalars.contains($0) }) ?? true else {
      throw TemplateProblem("a number with a point has no format of this type")
    }
    var body = digits(of: abs(value))
    if type == "%" { body += "%" }
    let end = body.firstIndex { !$0.isNumber } ?? body.endIndex
    return placed(
      isNegative: value.sign == .minus && !value.isNaN, prefix: "", digits: String(body[..<end]),
      rest: String(body[end...]), group: 3)
  }

  private func digits(of value: Double) -> String {
    let isUpper = type.map { "EFG".unicodeScalars.contains($0) } ?? false
    guard value.isFinite else {
      let name = value.isNaN ? "nan" : "inf"
      return isUpper ? name.uppercased() : name
    }
    let flag = isAlternate ? "#" : ""
    switch type {
    case nil:
      guard let precision else { return PythonText.float(value) }
      let text = String(format: "%.\(max(precision, 1))g", value)
      return text.contains { ".e".contains($0) } ? text : text + ".0"
    case "%": return String(format: "%\(flag).\(precision ?? 6)f", value * 100)
    case "e", "E": return String(format: "%\(flag).\(precision ?? 6)\(isUpper ? "E" : "e")", value)
    case "f", "F": return String(format: "%\(flag).\(precision ?? 6)f", value)
    default: return String(format: "%\(flag).\(precision ?? 6)\(isUpper ? "G" : "g")", value)
    }
  }

  /// Sign, prefix, grouped digits and what follows them, in the width.
  private func placed(
    isNegative: Bool, prefix: String, digits: String, rest: String, group: Int
  ) -> String {
    let mark = isNegative ? "-" : sign == "-" ? "" : String(Character(sign))
    let front = mark + prefix
    guard align == "=" else {
      return padded(front + grouped(digits, group) + rest, by: align ?? ">")
    }
    let room = width - front.unicodeScalars.count - rest.unicodeScalars.count
    var body = grouped(digits, group)
    if fill == "0", grouping != nil {
      // Zeros are grouped too, and a group never begins with its mark.
      var zeros = digits
      while body.count < room {
        zeros = "0" + zeros
        body = grouped(zeros, group)
      }
      return front + body + rest
    }
    let missing = max(room - body.unicodeScalars.count, 0)
    body = String(repeating: Character(fill), count: missing) + body
    return front + body + rest
  }

  private func grouped(_ digits: String, _ size: Int) -> String {
    guard let grouping, digits.allSatisfy(\.isHexDigit) else { return digits }
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % size == 0 { result.unicodeScalars.append(grouping) }
      result.append(digit)
    }
    return result
  }

  private func padded(_ text: String, by align: Unicode.Scalar) -> String {
    PythonText.padded(text, to: width, with: fill, align)
  }
}

extension PythonText {
  /// A text of at least some characters, others filling it up.
  ///
  /// - Parameter align: Where the text stands: `<`, `>`, or `^` in the middle as `format` has it.
  static func padded(
    _ text: String, to width: Int, with fill: Unicode.Scalar = " ", _ align: Unicode.Scalar
  ) -> String {
    let missing = max(max(width, 0) - text.unicodeScalars.count, 0)
    let left = align == "<" ? 0 : align == "^" ? missing / 2 : missing
    func filled(_ count: Int) -> String { String(repeating: String(Character(fill)), count: count) }
    return filled(left) + text + filled(missing - left)
  }
}
