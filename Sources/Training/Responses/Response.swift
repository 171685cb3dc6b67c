package import Files
import Speculate

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

/// Everything that responses depend on: two folders with equal settings hold the same responses.
package struct ResponseSettings: ShardSettings {
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
  /// The share of responses that are sampled at the temperature; nil for all.
  package var sampledShare: Float?
  /// The prompts that the target wrote itself; nil where it wrote none.
  package var written: PromptWritingSettings?
  /// How those were cleaned: the rules' version, and what was excluded.
  package var cleaning: String?
  /// The weights of several sources.
  package var weights: [Double]?

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

  package var named: [String: String] {
    var settings = RunSettings()
    settings.note("target", fingerprint: target)
    settings.note("data", fingerprint: data)
    settings.note("seed", seed)
    settings.note("shortest prompt", shortestPrompt)
    settings.note("longest prompt", longestPrompt)
    settings.note("response length", responseLength)
    settings.note("temperature", temperature)
    settings.note("sampled share", sampledShare)
    settings.note("cleaning", cleaning)
    settings.note("weights", weights)
    return settings.values.merging(written?.named ?? [:]) { own, _ in own }
  }

  /// How the tokens of response `number` are chosen.
  func sampling(_ number: Int) -> SamplingParameters {
    if let sampledShare {
      var random = KeyedRandom(seed: seed, key: "sampled \(number)")
      if random.uniform() >= Double(sampledShare) { return .greedy }
    }
    return SamplingParameters(temperature: temperature, seed: seed &+ UInt64(number))
  }
}
