import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

/// Fixtures of other families as GGUF files (Tests/Fixtures/gguf/families.py).
@Suite struct GGUFFamilyTests {
  static let folder = TestFiles.package.appending(path: "Tests/Fixtures/gguf/models")
  static let names =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .map { $0.replacing(".gguf", with: "") }.sorted()

  @Test func thereAreTwins() { #expect(Self.names.count > 10) }

  /// The logits of a file are to the bit those of the folder that it was made of.
  @Test(arguments: names) func logitsAreThoseOfTheFolder(name: String) throws {
    let reference = ReferenceModel(name: name)
    let expected = try reference.expected()
    let twin = try CausalModel(directory: Self.folder.appending(path: "\(name).gguf"))
    let own = try CausalModel(directory: reference.directory)
    #expect(twin.configuration.endTokens == [2] && twin.configuration.beginToken == 1)
    #expect(twin.configuration.maximumContext == own.configuration.maximumContext)
    let text = expected.inputIDs + expected.greedyIDs.prefix(20)
    let logits = try [twin, own].map { model in
      try rows(
        CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 16), text, 16)
    }
    #expect(logits[0] == logits[1])
    let runner = CausalRunner(model: twin, workers: Workers(count: 2), maximumRows: 24)
    let cache = try runner.makeCache(capacity: 72)
    #expect(
      greedy(runner, cache, after: expected.inputIDs, count: expected.greedyIDs.count)
        == expected.greedyIDs)
  }
}
