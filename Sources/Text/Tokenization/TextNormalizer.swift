/// Changes a text before it is tokenized, in the way a tokenizer.json prescribes.
struct TextNormalizer: Equatable, Sendable {
  enum Step: Equatable, Sendable {
    /// Unicode's canonical composition.
    case nfc
    /// Puts a string in front of every text that is not empty.
    case prepend(String)
    /// Replaces every occurrence of a string, compared by bytes.
    case replace([UInt8], with: [UInt8])
  }

  var steps: [Step] = []

  /// What a text becomes, `nil` when it stays as it is.
  func normalized(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var result: [UInt8]?
    for step in steps {
      let changed =
        result.map { $0.withUnsafeBufferPointer { Self.apply(step, to: $0) } }
        ?? Self.apply(step, to: text)
      result = changed ?? result
    }
    return result
  }

  private static func apply(_ step: Step, to text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    switch step {
    case .nfc: return CanonicalComposition.composed(text)
    case .prepend(let prefix): return text.isEmpty ? nil : Array(prefix.utf8) + text
    case .replace(let old, let new): return replacing(old, with: new, in: text)
    }
  }

  private static func replacing(
    _ old: [UInt8], with new: [UInt8], in text: UnsafeBufferPointer<UInt8>
  ) -> [UInt8]? {
    guard let first = old.first, text.contains(first) else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(text.count + text.count / 2)
    var index = 0
    while index < text.count {
      if text[index] == first, text[index...].starts(with: old) {
        result += new
        index += old.count
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }
}
