import Files

/// A token that is found in a text by its spelling, not by merging.
struct AddedToken: Equatable, Sendable {
  var id: Token
  /// How it is spelled in a text.
  var content: String
  /// Whether it is structure, not text.
  var special: Bool
  /// Whether spaces on its left belong to it.
  var stripsLeft = false
  /// Whether spaces on its right belong to it.
  var stripsRight = false
  /// Whether it is found only where no letter, digit or underscore touches it.
  var singleWord = false
  /// Whether it is looked for in the normalized text, normalized itself.
  var normalized = false
}

/// All added tokens of a tokenizer.
struct AddedTokens: Sendable {
  private let byID: [Token: AddedToken]
  /// What each token stands for in a text: its spelling, normalized if it is looked for so.
  private let surfaces: [Token: [UInt8]]
  /// By UTF-8 bytes, as equal strings in Swift may be spelled differently.
  private let byContent: [[UInt8]: Token]
  /// Finds the tokens that are looked for in the text as it is given.
  let matcher: AddedTokenMatcher
  /// Finds the tokens that are looked for in the normalized text.
  let normalizedMatcher: AddedTokenMatcher
  /// One more than the largest id, 0 without tokens.
  let endID: Int

  /// No tokens.
  init() {
    (byID, surfaces, byContent, endID) = ([:], [:], [:], 0)
    (matcher, normalizedMatcher) = (AddedTokenMatcher([]), AddedTokenMatcher([]))
  }

  /// Takes the tokens; of two with the same id or spelling the first counts.
  ///
  /// - Throws: `SpeculateError` when a spelling can't be normalized.
  init(_ tokens: [AddedToken], normalizer: TextNormalizer = TextNormalizer()) throws {
    byID = Dictionary(tokens.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    byContent = Dictionary(
      tokens.map { (Array($0.content.utf8), $0.id) }, uniquingKeysWith: { first, _ in first })
    endID = Int(tokens.map(\.id).max() ?? -1) + 1
    func surface(_ token: AddedToken) throws -> [UInt8] {
      let content = Array(token.content.utf8)
      guard token.normalized else { return content }
      return try content.withUnsafeBufferPointer { try normalizer.normalized($0) } ?? content
    }
    surfaces = try byID.mapValues(surface)
    matcher = AddedTokenMatcher(
      try tokens.filter { !$0.normalized }.map { (try surface($0), $0) })
    normalizedMatcher = AddedTokenMatcher(
      try tokens.filter(\.normalized).map { (try surface($0), $0) })
  }

  /// What a token stands for in a normalized text; empty for special and for other tokens.
  func surface(of id: Token) -> [UInt8] { isSpecial(id) ? [] : surfaces[id] ?? [] }

  /// The token with an id, if that is an added one.
  subscript(id: Token) -> AddedToken? { byID[id] }

  /// The added token with this spelling.
  func id(of content: String) -> Token? { byContent[Array(content.utf8)] }

  /// Whether an id is that of a special token.
  func isSpecial(_ id: Token) -> Bool { byID[id]?.special ?? false }
}
