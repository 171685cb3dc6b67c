/// How many drafted tokens the target would accept, in rounds along recorded greedy responses.
///
/// Greedy verification accepts the longest prefix that the target would have written itself, and a
/// recorded greedy response is what it writes: so replaying needs the serving drafter and the
/// target's features, but no target pass. The rounds are those of a generation that drafts full
/// blocks and is asked for as many tokens as the response has.
public struct SimulatedAcceptance: Sendable, Equatable, Codable {
  /// Rounds, each of which would be one target pass.
  public var rounds = 0
  /// Tokens that the rounds gave: accepted ones and the target's own after them.
  public var emitted = 0
  /// Rounds by how many tokens they drafted, fewer than a block only at the end of a response:
  /// [blockSize].
  public var drafted: [Int]
  /// Rounds that drafted, by how many drafts were accepted: [blockSize].
  public var histogram: [Int]

  /// No rounds yet of a drafter with blocks of `blockSize` rows.
  public init(blockSize: Int) {
    drafted = [Int](repeating: 0, count: blockSize)
    histogram = drafted
  }

  /// Mean acceptance length τ: tokens a round, the target's own included.
  public var acceptanceLength: Double { rounds == 0 ? 0 : Double(emitted) / Double(rounds) }

  /// The share of rounds with a draft 1, 2 … in which it was accepted: [blockSize − 1].
  public var survival: [Double] {
    var (accepted, offered) = (0, 0)
    var shares: [Double] = []
    for count in histogram.indices.dropFirst().reversed() {
      accepted += histogram[count]
      offered += drafted[count]
      shares.append(offered == 0 ? 0 : Double(accepted) / Double(offered))
    }
    return shares.reversed()
  }

  /// Adds one round.
  mutating func add(drafted count: Int, accepted: Int) {
    rounds += 1
    emitted += accepted + 1
    drafted[count] += 1
    if count > 0 { histogram[accepted] += 1 }
  }
}
