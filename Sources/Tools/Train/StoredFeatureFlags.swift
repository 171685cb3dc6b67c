import ArgumentParser
import Training

/// What is stored beside responses.
struct StoredFeatureFlags: ParsableArguments {
  @Option(
    """
    Layers of the target whose outputs are stored for every token, 0-based, so that trainings with \
    these --target-layers read them instead of running the target: 4 bytes a layer and unit of the \
    target's width.
    """, value: "i,j,…")
  var storeTaps: String?
  @Option(
    """
    How many of the target's most probable tokens are stored behind every token, with their \
    log-probabilities at temperature 1: 8 bytes each. Training doesn't read them.
    """, value: "k")
  var storeLogProbabilities: Int?

  var choice: FeatureChoice? {
    get throws {
      guard storeTaps != nil || storeLogProbabilities != nil else { return nil }
      let layers = try storeTaps.map { try OptionCheck.layers($0, of: "--store-taps") } ?? []
      let sorted = Set(layers).sorted()
      if sorted.count < layers.count {
        throw ValidationError("--store-taps is \(storeTaps ?? ""): name each layer once")
      }
      return FeatureChoice(layers: sorted, logProbabilities: storeLogProbabilities ?? 0)
    }
  }

  func validate() throws {
    try OptionCheck.range("--store-log-probabilities", storeLogProbabilities, 1...4096)
    _ = try choice
  }
}
