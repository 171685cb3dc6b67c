import Files
import Foundation
import Text
import Verifier

/// The token that `--mask-token` names.
enum MaskToken {
  /// The id of a token.
  ///
  /// - Parameter choice: An id, or the spelling of a token.
  /// - Throws: `SpeculateError` when the target has no such token.
  static func id(_ choice: String, target: URL) throws -> Token {
    guard
      let found = try Token(choice) ?? TokenizerLoader.load(directory: target).id(of: choice)
    else {
      throw SpeculateError(
        "--mask-token \(choice): the target's tokenizer spells no token so; give the spelling or the "
          + "id of one")
    }
    return found
  }
}
