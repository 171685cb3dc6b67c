import Speculate

/// Everything that responses depend on: two files with equal settings hold the same responses.
public struct ResponseSettings: Sendable, Equatable, Codable {
  /// The target's weights.
  public var target: UInt64
  /// The documents.
  public var data: UInt64
  /// The seed of prompts and noise.
  public var seed: UInt64
  /// The shortest prompt.
  public var shortestPrompt: Int
  /// The longest prompt.
  public var longestPrompt: Int
  /// The most tokens of a response.
  public var responseLength: Int
  /// 0 for greedy responses.
  public var temperature: Float

  /// How response `number` is sampled.
  func sampling(_ number: Int) -> SamplingParameters {
    SamplingParameters(temperature: temperature, seed: seed &+ UInt64(number))
  }
}
