import ArgumentParser
import Files
import Speculate

/// The options of Jacobi decoding. None of these changes the output.
struct JacobiFlags: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Tokens of a block. (default: twice the rows that are nearly free, 8 to 32)",
      valueName: "n"))
  var jacobiBlock: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Blocks that are iterated at once. (default: 2)", valueName: "n"))
  var jacobiBlocks: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Open another block when this share of the newest one agrees. (default: 0.85)",
      valueName: "share"))
  var jacobiSpawn: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Thrown-away guesses to keep and try again; 0 keeps none. (default: 4)", valueName: "n"))
  var jacobiPool: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Rows of every pass. (default: as many as pay, by measured times)", valueName: "n"))
  var jacobiRows: Int?

  /// Whether any of the options was given.
  var isGiven: Bool {
    [jacobiBlock, jacobiBlocks, jacobiPool, jacobiRows].contains { $0 != nil }
      || jacobiSpawn != nil
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

  func validate() throws {
    do {
      try options(suffix: true).validated()
    } catch let error as SpeculateError {
      throw ValidationError(error.description)
    }
  }
}
