import ArgumentParser
public import Training

/// How a step's gradient is summed.
struct LaneOptions: ParsableArguments {
  @Option(
    """
    Partial sums of a step's gradient, shared out among all threads and ranks: the result depends on \
    how many there are, and not on those. (default: one a thread of each rank; a run that goes on keeps \
    its own)
    """, value: "n")
  var lanes: Int?
  @Option(
    """
    What a sum of gradients is rounded to after each lane: bf16 halves the bytes that go between ranks \
    and makes it coarser. (default: f32; a run that goes on keeps its own)
    """)
  var exchange: SumPrecision?

  func validate() throws { try OptionCheck.range("--lanes", lanes, 1...1 << 16) }

  func apply(to options: inout RunOptions) {
    options.lanes = lanes
    options.sumPrecision = exchange
  }
}

extension SumPrecision: ExpressibleByArgument {}
