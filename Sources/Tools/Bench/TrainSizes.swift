import ArgumentParser
import Training

/// The sizes of a model whose training is measured: those of `speculate pretrain` that matter for
/// the time, with the embedded target's values.
struct TrainSizes: ParsableArguments {
  @OptionGroup var widths: ModelWidths
  @Option(help: "Decoder layers.") var layers = 20

  var architecture: CausalArchitecture { widths.architecture(layers: layers) }

  func validate() throws {
    if let complaint = architecture.complaint { throw ValidationError(complaint) }
  }
}
