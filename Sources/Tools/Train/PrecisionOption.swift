import ArgumentParser
import Training

/// What the factors of training's matrix products are rounded to.
struct PrecisionOption: ParsableArguments {
  @Option(
    name: .customLong("precision"),
    help: """
      What matrix products round their factors to; sums, parameters and gradients are f32. (default: \
      bf16 where the processor has AVX-512 BF16, else f32; a run that goes on keeps its own)
      """)
  var wanted: ProductPrecision?
}

extension ProductPrecision: ExpressibleByArgument {}
