import Files

/// Reads a regular expression (ECMA-262's, as JSON schemas have them) that a grammar can hold.
///
/// It takes alternatives, groups, classes, repetitions, and `^` and `$` at the ends of the whole or of its
/// alternatives. What looks around or back is refused by name.
struct PatternReader: ScalarReader {
  /// How a character of the pattern stands in the text.
  typealias Spelling = (_ ranges: [ClosedRange<UInt32>]) -> GrammarExpression

  let text: [Unicode.Scalar]
  private let spelling: Spelling
  var place = 0
  private var depth = 0

  /// Groups in each other, at most.
  private static let deepest = 64

  /// What a pattern matches, as an expression of a grammar.
  ///
  /// - Parameters:
  ///   - isAnchored: whether the whole text has to match, instead of a part of it where `^` and `$` don't
  ///     say so.
  ///   - spelling: how one of some characters is written.
  /// - Throws: ``SpeculateError`` naming what isn't supported, without the pattern's place.
  static func expression(
    _ pattern: String, isAnchored: Bool, spelling: @escaping Spelling
  ) throws(SpeculateError) -> GrammarExpression {
    var reader = PatternReader(pattern, spelling)
    let any = GrammarExpression.repeated(
      spelling(ScalarRanges.all), least: 0, most: nil)
    var parts: [GrammarExpression] = []
    repeat {
      let begins = reader.take("^")
      let body = try reader.readSequence()
      let ends = reader.take("$")
      parts.append(
        .sequence((begins || isAnchored ? [] : [any]) + [body] + (ends || isAnchored ? [] : [any])))
    } while reader.take("|")
    guard reader.place == reader.text.count else {
      throw reader.problem("\(quoted(String(reader.text[reader.place]))) can't stand here")
    }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private init(_ pattern: String, _ spelling: @escaping Spelling) {
    text = Array(pattern.unicodeScalars)
    self.spelling = spelling
  }

  private mutating func readChoice() throws(SpeculateError) -> GrammarExpression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else {
      throw problem("groups are nested deeper than \(Self.deepest) levels")
    }
    var parts = [try readSequence()]
    while take("|") { parts.append(try readSequence()) }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private mutating func readSequence() throws(SpeculateError) -> GrammarExpression {
    var parts: [GrammarExpression] = []
    while let next = peek, next != "|", next != ")" {
      // An end of the whole is the caller's.
      if next == "$", depth == 0, place + 1 == text.count || text[place + 1] == "|" { break }
      parts.append(try readRepetition(of: try readPart(next)))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func readPart(
    _ next: Unicode.Scalar
  ) throws(SpeculateError) -> GrammarExpression {
    place += 1
    switch next {
    case ".":
      // Line ends of ECMA-262.
      return spelling(ScalarRanges.complement([0xA...0xA, 0xD...0xD, 0x2028...0x2029]))
    case "[": return spelling(try readClass())
    case "(":
      if take("?:") || peek != "?" {
        let inner = try readChoice()
        guard take(")") else { throw problem("a group is not closed") }
        return inner
      }
      throw problem("groups that begin with \"(?\" are not supported, but for \"(?:\"")
    case "\\": return spelling(try readEscape(inClass: false))
    case "^", "$": throw problem("\"\(next)\" is supported at the ends of the pattern only")
    case "*", "+", "?", "{": throw problem("there is nothing to repeat")
    default: return spelling([next.value...next.value])
    }
  }

  private mutating func readRepetition(
    of part: GrammarExpression
  ) throws(SpeculateError) -> GrammarExpression {
    let repeated: GrammarExpression
    switch peek {
    case "*": repeated = .repeated(part, least: 0, most: nil)
    case "+": repeated = .repeated(part, least: 1, most: nil)
    case "?": repeated = .optional(part)
    case "{":
      place += 1
      guard let least = try readCount() else { throw problem("a count should stand here") }
      let most = take(",") ? try readCount() : least
      guard peek == "}" else { throw problem("a \"}\" should stand here") }
      if let most, most < least { throw problem("a count is the wrong way round") }
      repeated = .repeated(part, least: least, most: most)
    default: return part
    }
    place += 1
    // What is matched is the same whether it is tried from few or from many.
    _ = take("?")
    return repeated
  }

  // MARK: Classes

  private mutating func readClass() throws(SpeculateError) -> [ClosedRange<UInt32>] {
    let isExcluded = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    while let next = peek, next != "]" {
      let first = try readMember()
      guard first.count == 1, first[0].count == 1, peek == "-", place + 1 < text.count,
        text[place + 1] != "]"
      else {
        ranges += first
        continue
      }
      place += 1
      let last = try readMember()
      guard last.count == 1, last[0].count == 1, first[0].lowerBound <= last[0].lowerBound else {
        throw problem("a range of characters is the wrong way round")
      }
      ranges.append(first[0].lowerBound...last[0].lowerBound)
      _ = next
    }
    guard take("]") else { throw problem("a class of characters without end") }
    return isExcluded ? ScalarRanges.complement(ranges) : ranges
  }

  private mutating func readMember() throws(SpeculateError) -> [ClosedRange<UInt32>] {
    let next = text[place]
    place += 1
    return next == "\\" ? try readEscape(inClass: true) : [next.value...next.value]
  }

  private mutating func readEscape(inClass: Bool) throws(SpeculateError) -> [ClosedRange<UInt32>] {
    guard let kind = peek else { throw problem("a backslash with nothing behind it") }
    place += 1
    switch kind {
    case "d": return ScalarRanges.digits
    case "D": return ScalarRanges.complement(ScalarRanges.digits)
    case "w": return ScalarRanges.word
    case "W": return ScalarRanges.complement(ScalarRanges.word)
    case "s": return ScalarRanges.spaces
    case "S": return ScalarRanges.complement(ScalarRanges.spaces)
    case "n": return [0xA...0xA]
    case "r": return [0xD...0xD]
    case "t": return [0x9...0x9]
    case "f": return [0xC...0xC]
    case "v": return [0xB...0xB]
    case "b" where inClass: return [0x8...0x8]
    case "x", "u":
      let value = try readHexadecimal(kind == "x" ? 2 : 4).value
      return [value...value]
    default:
      guard kind.isASCII, !kind.properties.isAlphabetic, !("0"..."9").contains(kind) else {
        throw problem("\"\\\(kind)\" is not supported")
      }
      return [kind.value...kind.value]
    }
  }

  // MARK: Text

  func problem(_ message: String) -> SpeculateError {
    SpeculateError("at character \(place): \(message)")
  }
}
