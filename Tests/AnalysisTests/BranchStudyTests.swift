import Analysis
import Drafter
import Files
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Where the target's tokens stand among a drafter's choices, and what branches gain.
@Suite struct BranchStudyTests {
  private static func study(
    _ temperature: Float, _ choice: DraftChoice?, rows: [Int] = [2, 4, 8]
  ) throws -> BranchStudy {
    let drafter = TinyModels.drafter(blockSize: 6)
    let context = TinyModels.configuration.maximumContext
    let runner = TinyModels.runner(threads: 1, taps: drafter.configuration.targetLayers)
    let source = try BlockDraftSource(
      drafter: drafter, target: TinyModels.target, workers: Workers(count: 1), capacity: context)
    let parameters = GenerationParameters(
      sampling: SamplingParameters(temperature: temperature, topK: 4, seed: 5), maximumTokens: 60,
      ignoresEnd: true)
    let texts = try TinyModels.prompts(6).map {
      DraftReplay.Text(
        prompt: $0,
        output: try TinyModels.plain($0, parameters, runner: TinyModels.runner(threads: 1)).ids)
    }
    return try BranchStudy(
      DraftReplay(runner: runner, source: source), drafter: "tiny", maximumDrafts: 5, texts: texts,
      parameters: parameters, choice: choice, branches: 3, rows: rows, progress: { _ in true })
  }

  @Test(arguments: [(0, nil), (1, .coupled), (1, .argmax)] as [(Float, DraftChoice?)])
  func `depths follow from one another`(temperature: Float, choice: DraftChoice?) throws {
    let study = try Self.study(temperature, choice)
    #expect(study.texts == 6 && study.choice == choice ?? .argmax)
    let first = try #require(study.depths.first)
    #expect(first.depth == 1 && first.byRank.count == 4)
    for (one, next) in zip(study.depths, study.depths.dropFirst()) {
      // Whoever comes further was right before; a text may end between.
      #expect(next.reached <= one.byRank[0])
    }
    for depth in study.depths {
      #expect(depth.byRank.reduce(depth.elsewhere, +) == depth.reached && depth.reached > 0)
    }
    // Random models agree now and then only.
    #expect(first.elsewhere > 0 && first.byRank.reduce(0, +) > 0)
  }

  /// Chains of two rows have one draft, and trees of two rows no place for a branch.
  @Test func `rounds have the rows that they may have`() throws {
    let study = try Self.study(0, nil)
    #expect(study.rows.map(\.rows) == [2, 4, 8])
    for rows in study.rows {
      #expect(rows.chain >= 1 && rows.chain <= Double(rows.rows))
      #expect(rows.tree >= 1 && rows.tree <= Double(rows.rows))
    }
  }
}
