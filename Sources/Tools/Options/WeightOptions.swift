public import ArgumentParser
public import Tensors

/// How the target's weights are held in memory.
struct WeightOptions: ParsableArguments {
  @Option(
    "How to hold the target's matrices. (default: as they are stored)", value: "format",
    name: .customLong("weights"))
  var layers: WeightFormat?
  @Option(
    "How to hold the head. (default: like the matrices, but int8 where they have 5 bits or less)",
    value: "format", name: .customLong("head-weights"))
  var head: WeightFormat?
  @Option(
    "How to hold the token embedding. (default: like the head)", value: "format",
    name: .customLong("embedding-weights"))
  var embedding: WeightFormat?
  @Option(
    """
    What products take activations in: as they are, instead of rounded as products of a format do. \
    Closer to the model, and slower.
    """, value: "type", name: .customLong("activations"))
  var activations: ActivationType?

  var choice: WeightFormatChoice {
    WeightFormatChoice(
      layers: layers, head: head, embedding: embedding, floatActivations: activations == .f32)
  }
}

/// What products take activations in, where that isn't up to the format.
enum ActivationType: String, CaseIterable, ExpressibleByArgument {
  case f32
}

/// How the target's keys and values are held in memory.
struct CacheOptions: ParsableArguments {
  @Option(
    """
    How to hold the target's keys and values; text may differ between types, never between ways of \
    decoding.
    """, value: "type", name: .customLong("kv-type"))
  var format = KeyValueFormat.f32
}

extension WeightFormat: ExpressibleByArgument {
  /// The names of all formats.
  public static var allValueStrings: [String] { named.map(\.rawValue) }
}

extension KeyValueFormat: ExpressibleByArgument {}
