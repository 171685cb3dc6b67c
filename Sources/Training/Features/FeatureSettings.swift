/// What of a target's passes is stored beside responses.
package struct FeatureChoice: Sendable, Equatable {
  /// The layers whose outputs are kept, 0-based and ascending.
  package var layers: [Int]
  /// How many of the most probable tokens are kept, with their log-probabilities; 0 for none.
  package var logProbabilities: Int

  package init(layers: [Int] = [], logProbabilities: Int = 0) {
    self.layers = layers
    self.logProbabilities = logProbabilities
  }

  /// The settings that say so.
  var settings: String {
    let parts = [
      layers.isEmpty ? nil : "‘store taps’ \(layers.map(String.init).joined(separator: ","))",
      logProbabilities == 0 ? nil : "‘store log-probabilities’ \(logProbabilities)",
    ]
    return parts.compactMap { $0 }.joined(separator: " ")
  }
}

/// Everything that stored features depend on beside their tokens.
package struct FeatureSettings: Sendable, Equatable, Codable {
  /// The target's weights.
  package var target: UInt64
  package var hidden: Int
  package var layers: [Int]
  package var logProbabilities: Int

  var choice: FeatureChoice { FeatureChoice(layers: layers, logProbabilities: logProbabilities) }

  /// Whether sizes are such as can be; a manifest may hold anything.
  var isSound: Bool {
    (1...1 << 20).contains(hidden) && layers.count <= 1 << 10
      && layers.allSatisfy { (0..<1 << 20).contains($0) }
      && zip(layers, layers.dropFirst()).allSatisfy { $0 < $1 }
      && (0...1 << 16).contains(logProbabilities) && !choice.settings.isEmpty
  }
}
