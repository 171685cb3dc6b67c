import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Training

/// Responses are the same whatever drafts while the target answers, and however many are made at a
/// time.
@Suite struct ResponseDraftTests {
  @Test(arguments: [0, 1] as [Float]) func `drafts change no response`(temperature: Float) throws {
    let folder = try TemporaryFolder()
    var training = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
    training.steps = 2
    #expect(try DistillRecipeTests.run(training).isDone)
    let recipe = try ResponseRecipe(target: training.target, workers: Workers(count: 2))
    // Long enough for loops, which end a response within a round.
    var options = DistillRecipeTests.responses(folder.file("train.u16"), count: 40, length: 90)
    options.temperature = temperature
    func shards(_ name: String) throws -> [String: Data] {
      let place = folder.file(name)
      let made = try #require(
        try recipe.run(options, folder: place, shouldStop: { false }, report: { _ in }))
      #expect(made.count == 40)
      return try Dictionary(
        uniqueKeysWithValues: FileManager.default.contentsOfDirectory(atPath: place.path).map {
          ($0, try Data(contentsOf: place.appending(path: $0)))
        })
    }
    options.batch = 1
    let plain = try shards("plain")
    let ways: [(ResponseOptions.Drafting, Int)] = [
      (.suffix, 16), (.drafter(training.output), 4), (.drafter(training.target), 3), (.none, 16),
    ]
    for (index, (drafting, batch)) in ways.enumerated() {
      options.drafting = drafting
      options.batch = batch
      #expect(try shards("drafted-\(index)") == plain, "\(drafting)")
    }
  }

  /// A pass has as many rows as there are sequences: one that a loop ended makes room at once.
  @Test func `a full batch goes on where loops end`() throws {
    let folder = try TemporaryFolder()
    let training = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
    let recipe = try ResponseRecipe(target: training.target, workers: Workers(count: 2))
    var options = DistillRecipeTests.responses(folder.file("train.u16"), count: 160, length: 90)
    options.batch = 64
    let full = try #require(
      try recipe.run(options, folder: folder.file("full"), shouldStop: { false }) { _ in })
    options.batch = 3
    let few = try recipe.run(options, folder: folder.file("few"), shouldStop: { false }) { _ in }
    #expect(full == few)
    // Some were cut at a loop before their end.
    #expect(full.contains { $0.continuation.count < 90 && $0.tokens.last != 2 })
  }
}
