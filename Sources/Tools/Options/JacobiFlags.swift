import ArgumentParser
import Speculate

/// The options of Jacobi decoding. None of these changes the output.
struct JacobiFlags: ParsableArguments {
  @Option("Tokens of a block. (default: twice the rows that are nearly free, 8 to 32)", value: "n")
  var jacobiBlock: Int?
  @Option("Blocks that are iterated at once. (default: 2)", value: "n") var jacobiBlocks: Int?
  @Option(
    "Open another block when this share of the newest one agrees. (default: 0.85)", value: "share")
  var jacobiSpawn: Double?
  @Option("Thrown-away guesses to keep and try again; 0 keeps none. (default: 4)", value: "n")
  var jacobiPool: Int?
  @Option("Rows of every pass. (default: as many as pay, by measured times)", value: "n")
  var jacobiRows: Int?

  var isGiven: Bool {
    [jacobiBlock, jacobiBlocks, jacobiPool, jacobiRows].contains { $0 != nil } || jacobiSpawn != nil
  }

  /// The options of the decoder.
  ///
  /// - Parameter suffix: whether the end of the text is looked up in earlier text.
  func options(suffix: Bool) -> JacobiOptions {
    let standard = JacobiOptions()
    return JacobiOptions(
      block: jacobiBlock, blocks: jacobiBlocks ?? standard.blocks,
      spawn: jacobiSpawn ?? standard.spawn, pool: jacobiPool ?? standard.pool, suffix: suffix,
      rows: jacobiRows)
  }

  func validate() throws { try OptionCheck.library(options(suffix: true).validated) }
}
