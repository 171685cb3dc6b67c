package import Files

/// A prompt and what the target made of it.
package struct Response: Sendable, Equatable {
  /// The prompt's tokens, then the target's, an end token included.
  package var tokens: [Token]
  /// How many are the prompt's; only those after it are to be learnt.
  package var promptLength: Int
  /// The number of the document that the prompt is from, in the order of its file.
  package var document: Int

  package init(tokens: [Token], promptLength: Int, document: Int = 0) {
    self.tokens = tokens
    self.promptLength = promptLength
    self.document = document
  }

  /// The target's own tokens.
  package var continuation: ArraySlice<Token> { tokens[promptLength...] }
}

package typealias ResponseStore = ShardStore<Response>

extension Response: ShardElement {
  package typealias Settings = ResponseSettings

  package static var kind: ShardKind {
    ShardKind(magic: "SPSHARD1", name: "responses", command: "speculate distill data")
  }

  /// Document, prompt length, token count, tokens.
  package var numbers: [Int32] {
    [Int32(document), Int32(promptLength), Int32(tokens.count)] + tokens
  }

  package init?(numbers: [Int32]) {
    guard numbers.count >= 3, numbers[0] >= 0, numbers[1] >= 0, numbers[2] >= numbers[1] else {
      return nil
    }
    self.init(
      tokens: Array(numbers[3...]), promptLength: Int(numbers[1]), document: Int(numbers[0]))
  }

  package var tokenCount: Int { tokens.count }
}
