package import Speculate

/// Where the target's tokens stood among a drafter's choices, and what branches make of that.
package struct BranchStudy: Encodable, Sendable, Equatable {
  /// One depth of a block, 1 for the draft behind the anchor.
  package struct Depth: Encodable, Sendable, Equatable {
    package var depth: Int
    /// Rounds in which all drafts before were the target's.
    package var reached: Int
    /// Of these, how often the target's token was the choice of each rank: [rank].
    package var byRank: [Int]
    /// How often it was none of them.
    package var elsewhere: Int
  }

  /// Rounds of a number of rows.
  package struct Rows: Encodable, Sendable, Equatable {
    package var rows: Int
    /// The mean acceptance length of chains.
    package var chain: Double
    /// The same of trees.
    package var tree: Double
  }

  package var drafter: String
  package var choice: DraftChoice
  package var temperature: Float
  package var texts: Int
  package var branches: Int
  package var depths: [Depth]
  package var rows: [Rows]

  /// Replays texts.
  ///
  /// - Parameters:
  ///   - replay: of one drafter.
  ///   - branches: choices beside the first that trees follow.
  ///   - rows: rows of rounds to compare.
  ///   - progress: called after each text; returns `false` to end there.
  /// - Throws: `SpeculateError` for a text that no decoder would take.
  package init(
    _ replay: DraftReplay, drafter: String, maximumDrafts: Int, texts: [DraftReplay.Text],
    parameters: GenerationParameters, choice: DraftChoice?, branches: Int, rows: [Int],
    progress: (Int) -> Bool
  ) throws {
    let choice = choice ?? .automatic(parameters.sampling)
    let recorder = ChoiceRecorder(width: branches)
    var chains = rows.map { _ in Rounds() }
    var trees = chains
    var done = 0
    for (number, text) in texts.enumerated() {
      try replay.load(text)
      var length = DraftLength.fixed(maximumDrafts)
      _ = try replay.rounds(
        parameters: parameters, length: &length, choice: choice,
        cost: Self.cost(rows: maximumDrafts + 1),
        recorder: recorder)
      for (index, count) in rows.enumerated() {
        try chains[index].add(replay, parameters, choice, branches: 0, rows: count)
        try trees[index].add(replay, parameters, choice, branches: branches, rows: count)
      }
      done = number + 1
      guard progress(done) else { break }
    }
    self.drafter = drafter
    self.choice = choice
    temperature = parameters.sampling.temperature
    self.texts = done
    self.branches = branches
    depths = recorder.ranks.enumerated().map { place, counts in
      Depth(
        depth: place + 1, reached: counts.reduce(0, +), byRank: Array(counts.dropLast()),
        elsewhere: counts[counts.count - 1])
    }
    self.rows = zip(rows, zip(chains, trees)).map {
      Rows(rows: $0, chain: $1.0.tau, tree: $1.1.tau)
    }
  }

  /// Rounds of one way to draft, which goes on learning from text to text.
  private struct Rounds {
    private var length: DraftLength?
    private var tokens = 0
    private var rounds = 0

    var tau: Double { GenerationStatistics.ratio(tokens, rounds) }

    mutating func add(
      _ replay: DraftReplay, _ parameters: GenerationParameters, _ choice: DraftChoice,
      branches: Int, rows: Int
    ) throws {
      let cost = BranchStudy.cost(rows: rows)
      var length = self.length ?? .adaptive(AdaptiveDraftLength(cost))
      let rounds = try replay.rounds(
        parameters: parameters, length: &length, choice: choice, branches: branches, cost: cost)
      self.length = length
      tokens += rounds.reduce(0) { $0 + $1.emitted }
      self.rounds += rounds.count
    }
  }

  /// Pass times under which so many rows are free and none more is worth its price.
  fileprivate static func cost(rows: Int) -> CostModel {
    CostModel(
      verify: PassTimes([(1, 1), (rows, 1 + 1e-6), (rows + 1, 1e4)]), draft: PassTimes([(1, 1e-6)]))
  }
}
