import Files
import Foundation

extension TextNormalizer {
  /// Texts may become so many times as long.
  private static let growthLimit = 4096.0

  /// Reads the `normalizer` of a tokenizer.json, `nil` for none.
  init(_ node: JSONNode?) throws {
    guard let node else { return }
    for (node, type, fields) in try node.sequence("normalizers", kind: "normalizer") {
      steps.append(
        try Self.step(type, JSONSettings(node, fields, of: "normalizer '\(type)'")))
    }
    // Each replacement may make more places for the next.
    guard steps.reduce(1, { $0 * $1.growth }) <= Self.growthLimit else {
      throw node.error("the normalizer's replacements make texts over 4096 times as long")
    }
  }

  private static func step(_ type: String, _ settings: JSONSettings) throws -> Step {
    let node = settings.node
    switch type {
    case "NFC": return .form(.nfc)
    case "NFD": return .form(.nfd)
    case "NFKC": return .form(.nfkc)
    case "NFKD": return .form(.nfkd)
    case "Lowercase": return .lowercase
    case "StripAccents": return .stripMarks
    case "Nmt": return .nmt
    case "Strip":
      return .strip(
        left: try settings.flag("strip_left", default: true),
        right: try settings.flag("strip_right", default: true))
    case "Prepend":
      guard let prefix = try settings.string("prepend") else {
        throw node.error("the normalizer 'Prepend' has no 'prepend'")
      }
      return .prepend(prefix)
    case "Replace":
      guard let content = try settings.string("content") else {
        throw node.error("the normalizer 'Replace' has no 'content'")
      }
      let new = Array(content.utf8)
      switch try settings.pattern() {
      case .string(let old): return .replace(old, with: new)
      case .expression(let pattern):
        return .replaceMatches(try RegularExpression(pattern, name: node.text.name), with: new)
      }
    case "Precompiled":
      guard let text = try settings.string("precompiled_charsmap"),
        let blob = Data(base64Encoded: text)
      else { throw node.error("the normalizer 'Precompiled' has no 'precompiled_charsmap'") }
      do {
        return .map(try PrecompiledCharacterMap(blob))
      } catch {
        throw node.error("the normalizer 'Precompiled' can't be used: \(error)")
      }
    default: throw node.error("the normalizer \(quoted(type)) is not supported")
    }
  }
}

extension TextNormalizer.Step {
  /// How many times as long a text may become at most, but for a constant.
  fileprivate var growth: Double {
    switch self {
    case .form: 12
    case .replace(let old, let new): max(1, Double(new.count) / Double(old.count))
    case .replaceMatches(_, let new): 1 + Double(new.count)
    case .lowercase: 2
    case .map(let map): max(1, Double(map.longestReplacement))
    case .prepend, .strip, .stripMarks, .nmt: 1
    }
  }
}
