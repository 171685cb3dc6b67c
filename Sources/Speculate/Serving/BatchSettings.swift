import Files

/// How much a ``BatchGenerator`` takes on at once. None of it changes an answer.
public struct BatchSettings: Sendable, Equatable {
  /// The most sequences that share rounds.
  public var maximumSequences: Int
  /// Bytes for keys and values: those of running sequences and those of the prefix cache. `nil` takes a
  /// quarter of the memory that the machine has left when the generator is made.
  public var keyValueMemory: Int?
  /// The most rows of a target pass: one for each sequence, and the rest for drafts and slices of prompts.
  /// `nil` takes 64, or as many more as the sequences need.
  public var rows: Int?
  /// Whether beginnings that were computed before are kept and taken again.
  public var cachesPrefixes: Bool
  /// The most requests that wait; more are refused.
  public var queueLimit: Int
  /// Tokens of output that a request's admission reserves memory for. Those that write more take it as they
  /// go, and the youngest give theirs back where it runs out.
  public var outputReserve: Int
  /// Tokens that wait for a slow reader before its sequence pauses.
  public var streamLimit: Int
  /// How many times as long as without them a round may take for slices of prompts.
  public var prefillStretch: Double

  /// Makes settings without checking them; a generator calls ``validated()``.
  public init(
    maximumSequences: Int = 16, keyValueMemory: Int? = nil, rows: Int? = nil,
    cachesPrefixes: Bool = true, queueLimit: Int = 256, outputReserve: Int = 256,
    streamLimit: Int = 256, prefillStretch: Double = 3
  ) {
    self.maximumSequences = maximumSequences
    self.keyValueMemory = keyValueMemory
    self.rows = rows
    self.cachesPrefixes = cachesPrefixes
    self.queueLimit = queueLimit
    self.outputReserve = outputReserve
    self.streamLimit = streamLimit
    self.prefillStretch = prefillStretch
  }

  /// The same value, once every field was found in its range.
  ///
  /// - Throws: ``SpeculateError`` naming the field and its range.
  @discardableResult
  public func validated() throws -> BatchSettings {
    func check(_ name: String, _ value: Int?, _ range: ClosedRange<Int>, _ unit: String = "") throws
    {
      guard let value, !range.contains(value) else { return }
      throw SpeculateError(
        "\(name) \(value) is out of range: use \(range.lowerBound) to \(range.upperBound)\(unit)")
    }
    try check("maximum sequences", maximumSequences, 1...1024)
    try check("key-value memory", keyValueMemory, 1...Int.max / 4, " bytes")
    try check("rows", rows, maximumSequences + 1...4096)
    try check("queue limit", queueLimit, 0...1_000_000)
    try check("output reserve", outputReserve, 1...1_000_000, " tokens")
    try check("stream limit", streamLimit, 1...1_000_000, " tokens")
    guard (1...1000).contains(prefillStretch) else {
      throw SpeculateError("prefill stretch \(prefillStretch) is out of range: use 1 to 1000")
    }
    return self
  }

  /// The rows of a pass.
  var passRows: Int { rows ?? max(64, maximumSequences + 32) }
}
