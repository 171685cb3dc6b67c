import Files
import Drafter
import Tensors
import Testing

/// Heads on rows, without the drafter behind them.
@Suite struct HeadTests {
  static let (hidden, vocabulary, choices, places) = (12, 50, 37, 4)

  private static func values(_ count: Int, seed: UInt64) -> FloatBuffer {
    RandomSource(seed: seed).values("rows", [count])
  }

  /// Heads as drafters may have them together.
  static let lists: [DrafterHeads] =
    MarkovHeadConfiguration.Kind.allCases.map {
      DrafterHeads(MarkovHeadConfiguration(rank: 5, kind: $0), ConfidenceHeadConfiguration())
    } + [
      DrafterHeads(
        CandidateSelectorConfiguration(rank: 5, candidates: 6), ConfidenceHeadConfiguration())
    ]

  /// Heads of random weights.
  private static func heads(
    _ format: WeightFormat, _ list: DrafterHeads = lists[0]
  ) throws -> [any BlockHead] {
    var configuration = DrafterRunnerTests.configuration(vocabulary: choices, markov: 5)
    configuration.shape.hidden = hidden
    configuration.heads = list
    return try configuration.placedHeads.map {
      try $0.head.load(RandomSource(seed: 3), $0.place, format: format)
    }
  }

  /// The bits of logits and confidences of blocks that are walked together, place by place.
  private static func walk(
    _ blocks: [Int], _ heads: [any BlockHead], threads: Int
  ) -> [[UInt32]] {
    let states = HeadStates(
      heads,
      HeadRoom(
        rows: blocks.count * places, blocks: blocks.count, choices: choices,
        workers: Workers(count: threads)))
    // A block of n drafts has its own values, wherever it stands.
    let inputs = blocks.map { values($0 * hidden, seed: 1) }
    let logits = FloatBuffer(count: blocks.reduce(0, +) * choices)
    var first: [Int] = []  // of each block's rows
    for count in blocks {
      let start = first.last.map { $0 + blocks[first.count - 1] } ?? 0
      let own = values(count * choices, seed: 2)
      for index in 0..<own.count { logits.base[start * choices + index] = own.base[index] }
      first.append(start)
      withExtendedLifetime(own) {}
    }
    var rows: [[DraftedRow]] = []
    for (block, count) in blocks.enumerated() {
      rows.append(
        (0..<count).map { place in
          DraftedRow(
            index: block * places + place, hidden: inputs[block].base + place * hidden,
            logits: logits.base + (first[block] + place) * choices,
            before: place > 0 ? block * places + place - 1 : nil)
        })
    }
    states.begin()
    states.prepare(Array(rows.joined()))
    for place in 0..<places {
      let due = blocks.indices.filter { place < blocks[$0] }
      states.adjust(
        due.map {
          // Before the third place of a long block is a mask.
          rows[$0][place].previous = place == 2 ? nil : Token((7 * place + 11) % vocabulary)
          return rows[$0][place]
        })
    }
    defer { withExtendedLifetime((inputs, logits)) {} }
    return blocks.indices.map { block in
      let start = first[block] * choices
      return (start..<start + blocks[block] * choices).map { logits.base[$0].bitPattern }
        + rows[block].map {
          states.confidence(of: $0.index, probability: 0.3).bitPattern
        }
    }
  }

  @Test(arguments: WeightFormat.allCases, lists.indices)
  func `blocks that are walked together are each as it is alone`(
    format: WeightFormat, list: Int
  ) throws {
    let heads = try Self.heads(format, Self.lists[list])
    let threads = 1 + list % 2
    let alone = (1...Self.places).map { Self.walk([$0], heads, threads: 1)[0] }
    #expect(Set(alone.map(\.count)).count == Self.places)
    for blocks in [[3], [4, 4], [1, 4, 2], [2, 3, 3, 1, 4]] {
      let together = Self.walk(blocks, heads, threads: threads)
      #expect(together == blocks.map { alone[$0 - 1] }, "\(blocks)")
    }
  }

  @Test func `a mask before a row adds nothing to its logits`() throws {
    let heads = try Self.heads(.f32)
    let whole = Self.walk([3], heads, threads: 1)[0]
    let plain = Self.values(3 * Self.choices, seed: 2)
    for row in 0..<3 {
      let range = row * Self.choices..<(row + 1) * Self.choices
      let isSame = range.allSatisfy { Float(bitPattern: whole[$0]) == plain.base[$0] }
      #expect(isSame == (row == 2))
    }
  }

  @Test func `heads are in the order in which they work`() {
    let (markov, confidence) = (MarkovHeadConfiguration(rank: 5), ConfidenceHeadConfiguration())
    let heads = DrafterHeads(confidence, markov)
    #expect(heads == DrafterHeads(markov, confidence) && heads != DrafterHeads(markov))
    #expect(heads != DrafterHeads(MarkovHeadConfiguration(rank: 6), confidence))
    #expect(heads.previousWidths == [0, 5])
    #expect(
      heads.descriptions.map(\.name) == ["Markov head", "selector", "confidence head"])
    #expect(heads.descriptions.map(\.value) == ["rank 5", "none", "yes"])
    #expect(DrafterHeads().descriptions.map(\.value) == ["none", "none", "none"])
    let (second, gated) = (
      CandidateSelectorConfiguration(rank: 3), MarkovHeadConfiguration(rank: 5, kind: .gated)
    )
    #expect(
      DrafterHeads(second, gated).descriptions.map(\.value)
        == ["gated, rank 5", "rank 3, 16 candidates", "none"])
    #expect(DrafterHeads(gated) != DrafterHeads(markov))
  }

  /// A recurrent head remembers all tokens of its block, a plain one only the last.
  @Test func `only a recurrent head looks further back than one token`() throws {
    for (index, list) in Self.lists.enumerated() {
      let heads = try Self.heads(.f32, list)
      func third(_ tokens: [Token]) -> [UInt32] {
        let states = HeadStates(
          heads, HeadRoom(rows: 3, blocks: 1, choices: Self.choices, workers: Workers(count: 1)))
        let (hidden, logits) = (
          Self.values(3 * Self.hidden, seed: 1), Self.values(3 * Self.choices, seed: 2)
        )
        defer { withExtendedLifetime(hidden) {} }
        let rows = (0..<3).map {
          DraftedRow(
            index: $0, hidden: hidden.base + $0 * Self.hidden,
            logits: logits.base + $0 * Self.choices, previous: tokens[$0],
            before: $0 > 0 ? $0 - 1 : nil)
        }
        states.begin()
        states.prepare(rows)
        for row in rows { states.adjust([row]) }
        return (2 * Self.choices..<3 * Self.choices).map { logits.base[$0].bitPattern }
      }
      #expect(third([1, 2, 3]) != third([1, 2, 4]), "\(index)")
      #expect((third([1, 2, 3]) != third([1, 7, 3])) == (index == 2), "\(index)")
    }
  }
}
