import Files

/// How a Jacobi decoder works. None of this changes the output.
public struct JacobiOptions: Sendable, Equatable {
  /// Tokens of a block; `nil` chooses by measured pass times.
  public var block: Int?
  /// Blocks that are iterated at once, the first of which is committed from.
  public var blocks: Int
  /// The share of the newest block that has to agree before another one is opened.
  public var spawn: Double
  /// Runs that the pool of thrown-away guesses holds; 0 recycles nothing.
  public var pool: Int
  /// Whether the end of the text is looked up in earlier text.
  public var suffix: Bool
  /// Rows of a pass, the anchor's included; `nil` chooses by expected speed all the time.
  public var rows: Int?

  /// Makes options without checking them; decoders call ``validated()``.
  public init(
    block: Int? = nil, blocks: Int = 2, spawn: Double = 0.85, pool: Int = 4, suffix: Bool = true,
    rows: Int? = nil
  ) {
    self.block = block
    self.blocks = blocks
    self.spawn = spawn
    self.pool = pool
    self.suffix = suffix
    self.rows = rows
  }

  /// The same value, once every field was found in its range.
  ///
  /// - Throws: ``SpeculateError`` naming the field and its range.
  @discardableResult
  public func validated() throws -> JacobiOptions {
    if let block, !(2...1024).contains(block) {
      throw SpeculateError("Jacobi block \(block) is out of range: use 2 to 1024")
    }
    guard (1...64).contains(blocks) else {
      throw SpeculateError("Jacobi blocks \(blocks) is out of range: use 1 to 64")
    }
    guard spawn > 0, spawn <= 1 else {
      throw SpeculateError("Jacobi spawn \(spawn) is out of range: use more than 0 and at most 1")
    }
    guard (0...64).contains(pool) else {
      throw SpeculateError("Jacobi pool \(pool) is out of range: use 0 to 64 (0 recycles nothing)")
    }
    if let rows, rows < 2 {
      throw SpeculateError("Jacobi rows \(rows) is out of range: use 2 or more")
    }
    return self
  }
}
