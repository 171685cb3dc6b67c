import Files
import Foundation
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Speculative decoding with the fixture of every family: its ids are those of plain decoding.
@Suite struct FamilyExactnessTests {
  private static let folder = TestFiles.package.appending(path: "Tests/Fixtures/models")
  static let names =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()

  @Test func thereAreFamilies() { #expect(Self.names.count > 12) }

  @Test(arguments: names) func draftsChangeNothing(name: String) throws {
    let model = try CausalModel(directory: Self.folder.appending(path: name))
    let vocabulary = model.configuration.vocabularySize
    var accepted = 0
    for (index, threads) in [1, 2].enumerated() {
      let runner = CausalRunner(model: model, workers: Workers(count: threads), maximumRows: 64)
      for seed in 0..<4 {
        let prompt: [Token] = (0..<6).map { Token((seed * 7 + $0 * 5) % vocabulary) }
        let parameters = GenerationParameters(
          sampling: SamplingParameters(temperature: Float((seed + index) % 2), seed: UInt64(seed)),
          maximumTokens: 40, ignoresEnd: true)
        let plain = try TinyModels.plain(prompt, parameters, runner: runner)
        #expect(plain.ids.count == 40)
        for drafts in [2, 7, 16] {
          let source = OracleSource(
            future: prompt + plain.ids, quality: .chance(0.8), maximumDrafts: drafts,
            vocabulary: vocabulary, seed: UInt64(seed))
          let decoder = try Decoder(
            runner: runner, cache: runner.makeCache(capacity: 75), prompt: prompt,
            parameters: parameters,
            strategy: DraftStrategy(source: source, length: .fixed(drafts)))
          #expect(Array(decoder) == plain.ids, "\(drafts) drafts")
          #expect(source.complaints.isEmpty)
          accepted += decoder.statistics.acceptanceHistogram.enumerated().reduce(0) {
            $0 + $1.offset * $1.element
          }
        }
      }
    }
    // Without accepted drafts the above would say nothing.
    #expect(accepted > 100)
  }
}
