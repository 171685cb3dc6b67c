import Speculate

/// Everything that responses depend on: two folders with equal settings hold the same responses.
package struct ResponseSettings: Sendable, Equatable, Codable {
  /// The target's weights.
  package var target: UInt64
  /// The documents.
  package var data: UInt64
  package var seed: UInt64
  package var shortestPrompt: Int
  package var longestPrompt: Int
  package var responseLength: Int
  /// 0 for greedy responses.
  package var temperature: Float

  package init(
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

  func sampling(_ number: Int) -> SamplingParameters {
    SamplingParameters(temperature: temperature, seed: seed &+ UInt64(number))
  }
}
