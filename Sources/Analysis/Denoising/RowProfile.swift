package import Drafter
package import Files

/// What a drafter's first pass says of each row of its blocks, and what became of it.
package struct RowProfile: Encodable, Sendable, Equatable {
  /// Blocks that drafted the row.
  package private(set) var blocks: [Int] = []
  /// Blocks in which all drafts before the row were right.
  package private(set) var reached: [Int] = []
  /// Of these, those in which its draft was right too.
  package private(set) var accepted: [Int] = []
  /// Drafts of an end, all drafts before them being right, and those of them that were right: ends that are
  /// drafted too early are what padding teaches a drafter (Rainbow Padding, arXiv 2510.03680).
  package private(set) var ends = 0
  package private(set) var rightEnds = 0
  private var entropies: [Double] = []
  private var probabilities: [Double] = []

  package init() {}

  /// Mean entropy of each row, in nats.
  package var entropy: [Double] { zip(entropies, blocks).map { $0 / Double($1) } }
  /// Mean probability of each row's most probable token.
  package var probability: [Double] { zip(probabilities, blocks).map { $0 / Double($1) } }
  /// How often each row's draft was right, all before it being right.
  package var acceptance: [Double] {
    zip(accepted, reached).map { $1 > 0 ? Double($0) / Double($1) : 0 }
  }

  /// Adds a block of one pass.
  ///
  /// - Parameters:
  ///   - text: what the text turned out to be behind its anchor.
  ///   - endTokens: those that end texts.
  package mutating func add(
    _ block: DenoisedBlock, text: ArraySlice<Token>, endTokens: [Token] = []
  ) {
    let right = zip(block.drafts, text).prefix { $0 == $1 }.count
    for (place, row) in block.distributions.enumerated() {
      if blocks.count == place {
        blocks.append(0)
        reached.append(0)
        accepted.append(0)
        entropies.append(0)
        probabilities.append(0)
      }
      blocks[place] += 1
      entropies[place] += Double(row.entropy)
      probabilities[place] += Double(row.probability)
      guard place <= right, place < text.count else { continue }
      reached[place] += 1
      if place < right { accepted[place] += 1 }
      guard endTokens.contains(block.token(at: place)) else { continue }
      ends += 1
      if place < right { rightEnds += 1 }
    }
  }

  private enum CodingKeys: CodingKey {
    case blocks, reached, accepted, entropy, probability, acceptance, ends, rightEnds
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(blocks, forKey: .blocks)
    try container.encode(reached, forKey: .reached)
    try container.encode(accepted, forKey: .accepted)
    try container.encode(entropy, forKey: .entropy)
    try container.encode(probability, forKey: .probability)
    try container.encode(acceptance, forKey: .acceptance)
    try container.encode(ends, forKey: .ends)
    try container.encode(rightEnds, forKey: .rightEnds)
  }
}
