public import ArgumentParser
public import Tensors

/// How the target's weights are held in memory.
struct WeightOptions: ParsableArguments {
  @Option(
    name: .customLong("weights"),
    help: ArgumentHelp(
      "How to hold the target's matrices. (default: as they are stored)", valueName: "format"))
  var format: WeightFormat?
}

extension WeightFormat: ExpressibleByArgument {}
