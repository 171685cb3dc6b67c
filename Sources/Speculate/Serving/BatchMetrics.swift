/// What a ``BatchGenerator`` does and has done, as it stood after its last round.
public struct BatchMetrics: Sendable, Equatable {
  /// Requests that take part in rounds, those that pause among them.
  public var running = 0
  /// Requests whose readers are slow: some of those that run, and those that gave their places to others.
  public var paused = 0
  /// Requests that wait for a place.
  public var waiting = 0
  /// Bytes of keys and values that running sequences and the prefix cache hold.
  public var keyValueBytes = 0
  /// Of these, the prefix cache's.
  public var prefixCacheBytes = 0
  /// Bytes that they may hold.
  public var keyValueBudget = 0
  /// Passes of the target.
  public var rounds = 0
  /// Rounds in which a drafter ran.
  public var draftRounds = 0
  /// What rounds took.
  public var roundSeconds = RoundRecord.Seconds()
  /// What was done between rounds took: admission, memory, and telling what rounds brought.
  public var betweenSeconds = 0.0
  /// Tokens of prompts whose reading has begun.
  public var promptTokens = 0
  /// Tokens of outputs.
  public var generationTokens = 0
  /// Requests that ended, by why.
  public var finished: [FinishReason: Int] = [:]
  /// Requests that ended by an error.
  public var failed = 0
  /// Sequences that gave their memory back for others, to be read again.
  public var preemptions = 0
  /// Tokens of prompts that were looked up in the prefix cache.
  public var prefixQueries = 0
  /// Of these, tokens that it had.
  public var prefixHits = 0
  /// Rounds of sequences that verified drafts.
  public var drafts = 0
  /// Drafts that were verified.
  public var draftTokens = 0
  /// Of these, drafts that the target chose too.
  public var acceptedTokens = 0
  /// The same by place in the block, 0 for the first behind the anchor: [place].
  public var acceptedByPlace: [Int] = []
  /// Seconds until the first round.
  public var queueSeconds = LatencyHistogram()
  /// Seconds until the first token.
  public var firstTokenSeconds = LatencyHistogram()
  /// Seconds from one token to the next; those of a round share its time.
  public var interTokenSeconds = LatencyHistogram()
  /// Seconds until the end.
  public var requestSeconds = LatencyHistogram()

  /// Metrics of nothing.
  public init() {}

  /// The share of the budget that is in use, 0 to 1.
  public var keyValueUsage: Double {
    keyValueBudget > 0 ? Double(keyValueBytes) / Double(keyValueBudget) : 0
  }
}

/// Counts of seconds by size.
public struct LatencyHistogram: Sendable, Equatable {
  /// The greatest seconds of each class but the last, which has no bound, rising.
  public static let bounds: [Double] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5,
    2.5,
    5, 7.5, 10, 20, 40, 80, 160, 320, 640,
  ]
  /// How many fell into each class, and into no lower one: [bounds + 1].
  public private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
  /// The sum of all.
  public private(set) var sum = 0.0

  /// A histogram of nothing.
  public init() {}

  /// How many there are.
  public var count: Int { counts.reduce(0, +) }

  /// Counts `count` times the same seconds.
  mutating func record(_ seconds: Double, count: Int = 1) {
    counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += count
    sum += seconds * Double(count)
  }
}
