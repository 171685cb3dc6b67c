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

  /// Damage to what a file says is refused with one line, or leaves a model whose passes end.
  @Test(arguments: names) func damagedFiles(name: String) throws {
    let folder = try TemporaryFolder()
    let url = folder.file("model.gguf")
    let source = Self.folder.appending(path: "\(name).gguf")
    let good = Array(try Data(contentsOf: source))
    let file = try GGUFFile(url: source)
    let data = try file.names.reduce(0) { sum, tensor in
      try sum + file.withBytes(of: tensor) { ($0.count + 31) / 32 * 32 }
    }
    let header = good.count - data
    try #require(header > 500)
    var random = SplitMix(seed: 12)
    for _ in 0..<fuzzRounds(20) {
      var bytes = Array(good[..<header])
      for _ in 0..<Int.random(in: 1...2, using: &random) { mutate(&bytes, &random) }
      // Of the length that the header had, so that the tensors stay where they are.
      bytes = Array((bytes + [UInt8](repeating: 0, count: header)).prefix(header))
      try Data(bytes + good[header...]).write(to: url)
      do {
        let model = try CausalModel(directory: url)
        guard model.configuration.maximumContext > 2 else { continue }
        _ = try rows(
          CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 4), [1, 2, 3], 4)
      } catch let error as SpeculateError {
        #expect(!error.description.contains("\n"))
      }
    }
  }

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
