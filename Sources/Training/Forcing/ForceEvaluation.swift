import Foundation

/// How well a model predicts held-out text, and how fast it decodes itself by Jacobi iteration.
public struct ForceEvaluation: Sendable, Equatable, Codable {
  /// Bits of a held-out token.
  public var bitsPerToken: Double
  /// Bits of a held-out byte.
  public var bitsPerByte: Double
  /// One block, and nothing beside the guess.
  public var plain: Passes
  /// Two blocks, recycling, and matches of earlier text.
  public var full: Passes

  /// Tokens and passes of some generations.
  public struct Passes: Sendable, Equatable, Codable {
    /// Generations.
    public var outputs = 0
    /// Their tokens.
    public var tokens = 0
    /// Their passes.
    public var passes = 0
    /// Of those that don't end in a loop: how many, and as above.
    public var loopless = 0
    /// Tokens of outputs that don't end in a loop.
    public var looplessTokens = 0
    /// Passes of outputs that don't end in a loop.
    public var looplessPasses = 0

    /// Tokens that a pass brings.
    public var tokensPerPass: Double { passes > 0 ? Double(tokens) / Double(passes) : 0 }
    /// The same of outputs that don't end in a loop.
    public var looplessTokensPerPass: Double {
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
