package import Files
package import Speculate

/// Prompts by number, and how a target goes on from them.
package protocol ResponseTasks {
  /// Tokens of a prompt at most.
  var longestPrompt: Int { get }
  /// Tokens of a response at most.
  var responseLength: Int { get }
  /// The tokens after which a response is over.
  var endTokens: [Token] { get }

  /// Task `number`, a function of the number alone.
  ///
  /// - Throws: `SpeculateError` when the tokenizer can't encode its prompt.
  func task(_ number: Int) throws -> ResponseTask

  /// Whether a response without an end token is over all the same.
  func isOver(_ response: ArraySlice<Token>) -> Bool
}

extension ResponseTasks {
  package func isOver(_ response: ArraySlice<Token>) -> Bool { false }
}

/// A prompt and how the tokens behind it are chosen.
package struct ResponseTask {
  /// At least one token.
  package var prompt: [Token]
  /// Where the prompt is from (``Response/document``).
  package var document: Int
  package var sampling: SamplingParameters
}
