/// Changes a text before it is tokenized, in the way a tokenizer.json prescribes.
struct TextNormalizer: Sendable {
  enum Step: Sendable {
    case form(UnicodeNormalization)
    /// Puts a string in front of every text that is not empty.
    case prepend(String)
    /// Replaces every occurrence of a string, compared by bytes.
    case replace([UInt8], with: [UInt8])
    /// Replaces every match of a pattern.
    case replaceMatches(RegularExpression, with: [UInt8])
    /// Makes every scalar its lower case, whatever stands around it.
    case lowercase
    /// Removes white space at the ends.
    case strip(left: Bool, right: Bool)
    /// Removes marks.
    case stripMarks
    /// Removes controls and makes other spaces plain ones, as SentencePiece's `nmt` rules do.
    case nmt
    case map(PrecompiledCharacterMap)
  }

  var steps: [Step] = []

  /// What a text becomes, `nil` when it stays as it is.
  ///
  /// - Throws: `SpeculateError` when a pattern can't be looked for in the text.
  func normalized(_ text: UnsafeBufferPointer<UInt8>) throws -> [UInt8]? {
    var result: [UInt8]?
    for step in steps {
      let changed =
        try result.map { try $0.withUnsafeBufferPointer { try Self.apply(step, to: $0) } }
        ?? Self.apply(step, to: text)
      result = changed ?? result
    }
    return result
  }

  private static func apply(
    _ step: Step, to text: UnsafeBufferPointer<UInt8>
  ) throws -> [UInt8]? {
    switch step {
    case .form(let form): return form.normalized(text)
    case .prepend(let prefix): return text.isEmpty ? nil : Array(prefix.utf8) + text
    case .replace(let old, let new):
      guard let first = old.first, text.contains(first) else { return nil }
      var result: [UInt8] = []
      result.reserveCapacity(text.count + text.count / 2)
      replacing(old, with: new, in: text, into: &result)
      return result
    case .replaceMatches(let pattern, let new):
      var result: [UInt8] = []
      var end = 0
      try pattern.forEachMatch(in: text) { match in
        result += text[end..<match.lowerBound]
        result += new
        end = match.upperBound
      }
      return result + text[end...]
    case .lowercase:
      return mapScalars(text) { value, result in
        guard let lower = Unicode.Scalar(value)?.properties.lowercaseMapping else { return }
        result += Array(lower.utf8)
      }
    case .strip(let left, let right): return stripped(text, left: left, right: right)
    case .stripMarks:
      return mapScalars(text) { value, result in
        if !isMark(value) { UTF8Scalars.append(value, to: &result) }
      }
    case .nmt:
      return mapScalars(text) { value, result in
        switch value {
        case 1...8, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: break
        case 9, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
          result.append(UInt8(ascii: " "))
        default: UTF8Scalars.append(value, to: &result)
        }
      }
    case .map(let map): return map.mapped(text)
    }
  }

  /// Appends a text in which every occurrence of a string that is not empty is replaced.
  static func replacing(
    _ old: [UInt8], with new: [UInt8], in text: UnsafeBufferPointer<UInt8>,
    into result: inout [UInt8]
  ) {
    var index = 0
    while index < text.count {
      if text[index] == old[0], text[index...].starts(with: old) {
        result += new
        index += old.count
      } else {
        result.append(text[index])
        index += 1
      }
    }
  }

  private static func mapScalars(
    _ text: UnsafeBufferPointer<UInt8>, _ append: (UInt32, inout [UInt8]) -> Void
  ) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      let (value, length) = UTF8Scalars.scalar(in: text, at: index)
      append(value, &result)
      index += length
    }
    return result
  }

  private static func stripped(
    _ text: UnsafeBufferPointer<UInt8>, left: Bool, right: Bool
  ) -> [UInt8] {
    var (start, end) = (0, text.count)
    while left, start < end, case let (value, length) = UTF8Scalars.scalar(in: text, at: start),
      CharacterClass(value) == .space
    {
      start += length
    }
    while right, start < end, case let last = UTF8Scalars.start(in: text, before: end),
      CharacterClass(UTF8Scalars.scalar(in: text, at: last).value) == .space
    {
      end = last
    }
    return Array(text[start..<end])
  }

  /// The marks that huggingface/tokenizers strips.
  private static func isMark(_ value: UInt32) -> Bool {
    guard value >= 0x300, let properties = Unicode.Scalar(value)?.properties else { return false }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark:
      return UnicodeNormalization.isKnown(properties) && value != 0x111C9
    // Two were marks in Unicode 9, and are not now.
    default: return value == 0x1CF2 || value == 0x1CF3
    }
  }
}
