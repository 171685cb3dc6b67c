import Speculate

/// Everything that responses depend on: two folders with equal settings hold the same responses.
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

  /// Settings of the given values.
  public init(
    target: UInt64, data: UInt64, seed: UInt64, shortestPrompt: Int, longestPrompt: Int,
    responseLength: Int, temperature: Float
  ) {
    self.target = target
    self.data = data
    self.seed = seed
    self.shortestPrompt = shortestPrompt
    self.longestPrompt = longestPrompt
    self.responseLength = responseLength
    self.temperature = temperature
  }

  /// How response `number` is sampled.
  func sampling(_ number: Int) -> SamplingParameters {
    SamplingParameters(temperature: temperature, seed: seed &+ UInt64(number))
  }
}
