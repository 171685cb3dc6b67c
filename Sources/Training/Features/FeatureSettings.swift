/// What of a target's passes is stored beside responses.
package struct FeatureChoice: Sendable, Equatable {
  /// The layers whose outputs are kept, 0-based and ascending.
  package var layers: [Int]
  /// How many of the most probable tokens are kept, with their log-probabilities; 0 for none.
  package var logProbabilities: Int
  /// What outputs are rounded to; nil for what the folder has, and f32 in a new one.
  package var precision: ProductPrecision?

  package init(
    layers: [Int] = [], logProbabilities: Int = 0, precision: ProductPrecision? = nil
  ) {
    self.layers = layers
    self.logProbabilities = logProbabilities
    self.precision = precision
  }

  /// The settings that say so.
  var settings: String {
    let parts = [
      layers.isEmpty ? nil : "‘store taps’ \(layers.map(String.init).joined(separator: ","))",
      logProbabilities == 0 ? nil : "‘store log-probabilities’ \(logProbabilities)",
      precision.map { "‘store precision’ \($0.rawValue)" },
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
  /// What outputs are rounded to; nil for f32, as in folders of earlier versions.
  package var rounded: ProductPrecision?

  init(target: UInt64, hidden: Int, choice: FeatureChoice) {
    self.target = target
    self.hidden = hidden
    layers = choice.layers
    logProbabilities = choice.logProbabilities
    rounded = choice.precision == .bf16 ? .bf16 : nil
  }

  /// Bytes of a layer's output of a unit of the width.
  var valueBytes: Int { rounded == .bf16 ? 2 : 4 }

  /// What outputs are rounded to.
  package var precision: ProductPrecision { rounded ?? .f32 }

  /// What was chosen; the precision only where it isn't f32.
  var choice: FeatureChoice {
    FeatureChoice(layers: layers, logProbabilities: logProbabilities, precision: rounded)
  }

  /// Whether a choice is this one, as far as it says.
  func fit(_ choice: FeatureChoice) -> Bool {
    layers == choice.layers && logProbabilities == choice.logProbabilities
      && (choice.precision ?? precision) == precision
  }

  /// Whether sizes are such as can be; a manifest may hold anything.
  var isSound: Bool {
    (1...1 << 20).contains(hidden) && layers.count <= 1 << 10
      && layers.allSatisfy { (0..<1 << 20).contains($0) }
      && zip(layers, layers.dropFirst()).allSatisfy { $0 < $1 }
      && (0...1 << 16).contains(logProbabilities) && !(layers.isEmpty && logProbabilities == 0)
  }
}
