import Files
import Foundation
import Text
import Verifier

/// The token that stands for a draft to be made: one that no text has.
struct MaskToken {
  let id: Token

  /// What an option asks for, or what a target has to spare; nil for the tokenizer's own `<mask>`.
  ///
  /// - Parameter choice: An id, or the spelling of a token.
  /// - Throws: `SpeculateError` when the target has no such token, or none to spare.
  init?(_ choice: String?, target: URL) throws {
    let tokenizer = try TokenizerLoader.load(directory: target)
    let vocabulary = try ModelConfiguration(directory: target).vocabularySize
    if let choice {
      guard let found = Token(choice) ?? tokenizer.id(of: choice) else {
        throw SpeculateError(
          "--mask-token \(choice): the target's tokenizer spells no token so; give the spelling or the id of "
            + "one")
      }
      guard (0..<vocabulary).contains(Int(found)) else {
        throw SpeculateError(
          "--mask-token \(choice) is outside the target's vocabulary of \(vocabulary): give one of its "
            + "tokens")
      }
      id = found
      return
    }
    if tokenizer.id(of: "<mask>") != nil { return nil }
    let ids = (0..<vocabulary).map { Token($0) }
    let spare =
      ids.lazy.first { tokenizer.piece(of: $0) == nil }
      ?? ids.first { tokenizer.isSpecial($0) && Self.isReserved(tokenizer.piece(of: $0) ?? "") }
    guard let spare else {
      throw SpeculateError(
        "the target's tokenizer has no <mask> token and none to spare: give --mask-token, the id or "
          + "the spelling of one that text doesn't have")
    }
    let spelling = tokenizer.piece(of: spare).map { ", \(quoted($0))," } ?? ""
    Output.note(
      "the mask token is \(spare)\(spelling) which no text has; --mask-token names another\n")
    id = spare
  }

  /// Whether a vocabulary keeps a token for uses that nobody has made yet.
  private static func isReserved(_ spelling: String) -> Bool {
    ["reserved", "unused", "extra_", "placeholder", "dummy"].contains(
      where: spelling.lowercased().contains)
  }
}
