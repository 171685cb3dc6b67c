import Drafter
import Files
import Tensors
import TestSupport
import Testing

struct DrafterRunnerTests {
  static func configuration(
    vocabulary: Int? = nil, markov: Int? = nil, layers: Int = 2,
    kind: DrafterKind = .conditioned, ownsEmbedding: Bool = false
  ) -> DrafterConfiguration {
    DrafterConfiguration(
      blockSize: 6, maskToken: 3, targetLayers: kind == .tokens ? [] : [0, 2],
      targetLayerCount: kind == .tokens ? 0 : 4, vocabularySize: 50, layerCount: layers,
      shape: LayerShape(
        hidden: 24, heads: 4, keyValueHeads: 2, headDimension: 8, intermediate: 40,
        normEpsilon: 1e-6),
      maximumContext: 512, draftVocabularySize: vocabulary, kind: kind,
      ownsEmbedding: ownsEmbedding,
      heads: DrafterHeads(markov.map(MarkovHeadConfiguration.init(rank:))))
  }

  private static func values(_ count: Int, seed: UInt64) -> FloatBuffer {
    var state = seed
    let buffer = FloatBuffer(count: count)
    for index in 0..<count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      buffer.base[index] = Float(state >> 40) / Float(1 << 23) - 1
    }
    return buffer
  }

  static func runner(
    _ configuration: DrafterConfiguration, threads: Int = 1, maximumBlocks: Int = 1
  ) -> SingleDrafter {
    let hidden = configuration.shape.hidden
    let table = values(50 * hidden, seed: 8)
    return SingleDrafter(
      drafter: BlockDrafter(random: configuration, seed: 4),
      embedding: TokenEmbedding(table, vocabularySize: 50, width: hidden, format: .f32),
      head: PackedMatrix(table, rows: 50, columns: hidden, format: .f32),
      workers: Workers(count: threads), capacity: 200, maximumBlocks: maximumBlocks)
  }

  /// The logits' bits of one greedy draft.
  private func draft(_ runner: SingleDrafter, anchor: Token, count: Int) -> [UInt32] {
    let choices = runner.drafter.configuration.choices
    var seen: [UInt32] = []
    runner.draft(anchor: anchor, count: count) { _, logits in
      seen += (0..<choices).map { logits[$0].bitPattern }
      return Kernels.argmax(logits, count: choices)
    }
    return seen
  }

  @Test(arguments: [nil, 20], [nil, 5])
  func draftsDependOnCommittedFeaturesOnly(vocabulary: Int?, markov: Int?) {
    let configuration = Self.configuration(vocabulary: vocabulary, markov: markov)
    let width = 2 * configuration.shape.hidden
    let features = Self.values(150 * width, seed: 1)
    let whole = Self.runner(configuration)
    whole.appendContext(features.base, rows: 150)
    let expected = draft(whole, anchor: 9, count: 5)
    for threads in 1...2 {
      // The same context in pieces, with drafts and rewinds between.
      let pieces = Self.runner(configuration, threads: threads)
      pieces.appendContext(features.base, rows: 70)
      _ = draft(pieces, anchor: 2, count: 3)
      pieces.appendContext(features.base + 20 * width, rows: 40)
      pieces.rewind(to: 70)
      for row in 70..<150 { pieces.appendContext(features.base + row * width, rows: 1) }
      #expect(pieces.contextCount == 150)
      #expect(draft(pieces, anchor: 9, count: 5) == expected)
      #expect(pieces.drafts == whole.drafts)
      #expect(
        draft(pieces, anchor: 9, count: 2) == Array(expected.prefix(2 * configuration.choices)))
    }
  }

  /// The same for a drafter that sees tokens, whose passes the committed tokens share with blocks.
  @Test(arguments: [false, true], [nil, 20])
  func draftsDependOnCommittedTokensOnly(ownsEmbedding: Bool, vocabulary: Int?) {
    let configuration = Self.configuration(
      vocabulary: vocabulary, markov: 5, kind: .tokens, ownsEmbedding: ownsEmbedding)
    let tokens = (0..<150).map { Token($0 * $0 * 7 % 50) }
    let whole = Self.runner(configuration)
    whole.appendContext(tokens[...])
    #expect(whole.contextCount == 150)
    let expected = draft(whole, anchor: 9, count: 5)
    #expect(whole.contextCount == 150)
    for threads in 1...2 {
      let pieces = Self.runner(configuration, threads: threads)
      pieces.appendContext(tokens[..<70])
      _ = draft(pieces, anchor: 2, count: 3)
      // Text that is taken back, seen by a pass and not.
      pieces.appendContext(tokens[20..<60])
      _ = draft(pieces, anchor: 4, count: 5)
      pieces.appendContext(tokens[..<9])
      pieces.rewind(to: 115)
      #expect(pieces.contextCount == 115)
      pieces.rewind(to: 70)
      for position in 70..<150 {
        pieces.appendContext(tokens[position..<position + 1])
        if position % 3 == 0 { _ = draft(pieces, anchor: 8, count: 1 + position % 5) }
      }
      #expect(draft(pieces, anchor: 9, count: 5) == expected)
      #expect(draft(pieces, anchor: 9, count: 5) == expected)
      #expect(pieces.drafts == whole.drafts && pieces.contextCount == 150)
      pieces.rewind(to: 149)
      #expect(draft(pieces, anchor: 9, count: 5) != expected)
      pieces.appendContext(tokens[149...])
      #expect(
        draft(pieces, anchor: 9, count: 2) == Array(expected.prefix(2 * configuration.choices)))
    }
  }

  @Test func draftsComeFromTheDraftVocabulary() throws {
    let runner = Self.runner(Self.configuration(vocabulary: 20))
    let vocabulary = try #require(runner.drafter.draftVocabulary)
    #expect(vocabulary.count == 20)
    for anchor in 0..<50 {
      _ = draft(runner, anchor: Token(anchor), count: 5)
      #expect(runner.drafts.count == 5)
      #expect(runner.drafts.allSatisfy(vocabulary.contains))
    }
  }

  /// A row after its own draft is the row that was drafted of; after another token it is only where heads
  /// look at tokens. Blocks that share a pass don't matter.
  @Test(arguments: [nil, 20], [nil, 5])
  func rowsStandAfterOtherTokensToo(vocabulary: Int?, markov: Int?) throws {
    let configuration = Self.configuration(vocabulary: vocabulary, markov: markov)
    let choices = configuration.choices
    let single = Self.runner(configuration, threads: 2, maximumBlocks: 3)
    let features = Self.values(20 * 48, seed: 1)
    var blocks: [DrafterBlock] = []
    for index in 0..<3 {
      let context = try single.runner.makeContext(capacity: 40)
      single.runner.append(features.base, rows: 5 + index, to: context)
      var block = DrafterBlock(context: context, anchor: Token(index), count: 3 + index)
      block.branches = index != 1
      blocks.append(block)
    }
    var seen: [[[UInt32]]] = [[], [], []]
    var branched: [Int] = []
    single.runner.draft(blocks) { block, place, logits in
      seen[block].append((0..<choices).map { logits[$0].bitPattern })
      let choice = Kernels.argmax(logits, count: choices)
      logits.update(repeating: 0, count: choices)
      return DraftProposal(token: single.runner.token(at: choice), confidence: 0)
    } finish: { block in
      guard blocks[block].branches else { return }
      branched.append(block)
      let context = blocks[block].context
      for place in 1..<blocks[block].count {
        func row(after token: Token) -> [UInt32] {
          let logits = single.runner.logits(of: place, after: token, in: context)
          return (0..<choices).map { logits[$0].bitPattern }
        }
        let draft = context.drafts[place - 1]
        #expect(row(after: draft) == seen[block][place])
        #expect((row(after: (draft + 1) % 50) == seen[block][place]) == (markov == nil))
        #expect(row(after: draft) == seen[block][place])
      }
    }
    #expect(branched == [0, 2])
  }

  @Test func theAnchorAndTheContextMatter() {
    let configuration = Self.configuration()
    let features = Self.values(20 * 48, seed: 1)
    let runner = Self.runner(configuration)
    let empty = draft(runner, anchor: 9, count: 5)
    #expect(draft(runner, anchor: 10, count: 5) != empty)
    runner.appendContext(features.base, rows: 20)
    #expect(draft(runner, anchor: 9, count: 5) != empty)
  }

  @Test func targetLayersAreSpread() {
    #expect(DrafterConfiguration.defaultTargetLayers(layers: 1, targetLayers: 12) == [6])
    #expect(
      DrafterConfiguration.defaultTargetLayers(layers: 5, targetLayers: 36) == [1, 9, 17, 25, 33])
    #expect(
      DrafterConfiguration.defaultTargetLayers(layers: 3, targetLayers: 2).allSatisfy {
        0..<2 ~= $0
      })
  }
}
