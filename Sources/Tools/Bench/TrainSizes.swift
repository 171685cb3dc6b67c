import ArgumentParser
import Training

/// The sizes of a model whose training is measured: those of `speculate pretrain` that matter for
/// the time, with the embedded target's values.
struct TrainSizes: ParsableArguments {
  @Option(help: "Tokens of the vocabulary.") var vocabulary = 8192
  @Option(help: "Width of the residual stream.") var hidden = 384
  @Option(help: "Width of the gated feed-forward part.") var intermediate = 1088
  @Option(help: "Decoder layers.") var layers = 20
  @Option(help: "Query heads.") var heads = 6
  @Option(help: "Key/value heads; divides --heads.") var kvHeads = 2
  @Option(help: "Width of a head.") var headDim = 64

  var architecture: CausalArchitecture {
    var sizes = CausalArchitecture()
    sizes.vocabularySize = vocabulary
    sizes.hiddenSize = hidden
    sizes.intermediateSize = intermediate
    sizes.layerCount = layers
    sizes.headCount = heads
    sizes.keyValueHeadCount = kvHeads
    sizes.headDimension = headDim
    return sizes
  }

  func validate() throws {
    if let complaint = architecture.complaint { throw ValidationError(complaint) }
  }
}
