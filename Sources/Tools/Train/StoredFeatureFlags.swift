import ArgumentParser
import Training

/// What is stored beside responses.
struct StoredFeatureFlags: ParsableArguments {
  @Option(
    """
    Layers of the target whose outputs are stored for every token, 0-based, so that trainings with \
    these --target-layers read them instead of running the target: 4 bytes a layer and unit of the \
    target's width, or 2 with --store-precision bf16.
    """, value: "i,j,…")
  var storeTaps: String?
  @Option(
    """
    What those outputs are rounded to: f32, or bf16 for half the bytes, which trainings with \
    --precision bf16 read, and learn the same from to the bit. (default: what --output has, or f32)
    """, value: "f32|bf16")
  var storePrecision: ProductPrecision?
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
      return FeatureChoice(
        layers: sorted, logProbabilities: storeLogProbabilities ?? 0, precision: storePrecision)
    }
  }

  func validate() throws {
    if storePrecision != nil && storeTaps == nil {
      throw ValidationError("--store-precision belongs to --store-taps: give it too")
    }
    try OptionCheck.range("--store-log-probabilities", storeLogProbabilities, 1...4096)
    _ = try choice
  }
}
