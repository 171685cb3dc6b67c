public import ArgumentParser
public import Tensors

/// How the target's weights and its keys and values are held in memory.
struct WeightOptions: ParsableArguments {
  @Option(
    name: .customLong("weights"),
    help: ArgumentHelp(
      "How to hold the target's matrices. (default: as they are stored)", valueName: "format"))
  var layers: WeightFormat?

  @Option(
    name: .customLong("head-weights"),
    help: ArgumentHelp(
      "How to hold the head. (default: like the matrices, but int8 where they are int4)",
      valueName: "format"))
  var head: WeightFormat?

  @Option(
    name: .customLong("embedding-weights"),
    help: ArgumentHelp(
      "How to hold the token embedding. (default: like the head)", valueName: "format"))
  var embedding: WeightFormat?

  /// What these options ask for.
  var choice: WeightFormatChoice {
    WeightFormatChoice(layers: layers, head: head, embedding: embedding)
  }
}

/// How the target's keys and values are held in memory.
struct CacheOptions: ParsableArguments {
  @Option(
    name: .customLong("kv-type"),
    help: ArgumentHelp(
      "How to hold the target's keys and values; text may differ between types, never between ways of "
        + "decoding.", valueName: "type"))
  var format = KeyValueFormat.f32
}

extension WeightFormat: ExpressibleByArgument {}

extension KeyValueFormat: ExpressibleByArgument {}
