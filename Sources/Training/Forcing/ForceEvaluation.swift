import Foundation

/// How well a model predicts held-out text, and how fast it decodes itself by Jacobi iteration.
package struct ForceEvaluation: Sendable, Equatable, Codable {
  package var bitsPerToken: Double
  package var bitsPerByte: Double
  /// One block, and nothing beside the guess.
  package var plain: Passes
  /// Two blocks, recycling, and matches of earlier text.
  package var full: Passes

  /// Tokens and passes of some generations.
  package struct Passes: Sendable, Equatable, Codable {
    package var outputs = 0
    package var tokens = 0
    package var passes = 0
    /// Of those that don't end in a loop: how many, and as above.
    package var loopless = 0
    package var looplessTokens = 0
    package var looplessPasses = 0

    package var tokensPerPass: Double { passes > 0 ? Double(tokens) / Double(passes) : 0 }
    package var looplessTokensPerPass: Double {
      looplessPasses > 0 ? Double(looplessTokens) / Double(looplessPasses) : 0
    }

    mutating func add(tokens count: Int, passes number: Int, endsInLoop: Bool) {
      outputs += 1
      tokens += count
      passes += number
      guard !endsInLoop else { return }
      loopless += 1
      looplessTokens += count
      looplessPasses += number
    }
  }
}
