import Files
import Foundation
import Speculate
import Tensors
import TestSupport
import Testing

/// Measured pass times are kept between runs, and whatever is wrong with a kept file is repaired.
@Suite struct CostModelCacheTests {
  /// Runs `body` with a folder that is removed afterwards.
  private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "speculate-\(UInt64.random(in: 0 ... .max))")
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  private let key = CostModelCache.Key(
    runner: TinyModels.runner(threads: 1), drafter: .block(TinyModels.drafter(blockSize: 8)))
  private let cost = CostModel(
    verify: PassTimes([(1, 1), (8, 1.5), (32, 4)]), draft: PassTimes([(1, 0.2), (7, 0.3)]))

  @Test func anEntryIsFoundAgain() throws {
    try withFolder { folder in
      let cache = CostModelCache(folder: folder)
      #expect(cache.cost(of: key) == nil)
      cache.store(cost, of: key)
      #expect(CostModelCache(folder: folder).cost(of: key) == cost)
      #expect(CostModelCache(folder: folder, measuresAgain: true).cost(of: key) == nil)
      // Nothing but the entry is left in the folder.
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(names.count == 1)
    }
  }

  @Test func whateverChangesTimesHasAnEntryOfItsOwn() throws {
    let drafter = DrafterModel.block(TinyModels.drafter(blockSize: 8))
    let keys = [
      key,
      CostModelCache.Key(runner: TinyModels.runner(threads: 1), drafter: nil),
      CostModelCache.Key(
        runner: TinyModels.runner(threads: 1), drafter: .block(TinyModels.drafter(blockSize: 4))),
      CostModelCache.Key(
        runner: TinyModels.runner(threads: 1), drafter: .causal(TinyModels.target)),
      CostModelCache.Key(
        runner: TinyModels.runner(threads: 1), drafter: .causal(TinyModels.target, passes: 2)),
      CostModelCache.Key(
        runner: TinyModels.runner(threads: 1), drafter: .causal(CausalDraftTests.other)),
      CostModelCache.Key(runner: TinyModels.runner(threads: 2), drafter: drafter),
      CostModelCache.Key(runner: TinyModels.runner(threads: 1, weights: .int8), drafter: drafter),
      CostModelCache.Key(runner: TinyModels.runner(threads: 1, cache: .bf16), drafter: drafter),
      CostModelCache.Key(runner: TinyModels.runner(threads: 1, taps: [0]), drafter: drafter),
    ]
    let folder = URL(filePath: "/nowhere")
    #expect(Set(keys.map { CostModelCache(folder: folder).file(of: $0) }).count == keys.count)
    #expect(keys[0] == CostModelCache.Key(runner: TinyModels.runner(threads: 1), drafter: drafter))
  }

  @Test func damagedEntriesAreIgnored() throws {
    try withFolder { folder in
      let cache = CostModelCache(folder: folder)
      cache.store(cost, of: key)
      let good = try String(contentsOf: cache.file(of: key), encoding: .utf8)
      var damaged = ["", "{", "[]", "{}", "null", String(good.dropLast(20)), "\u{0}\u{1}"]
      for (old, new) in [
        ("\"threads\" : 1", "\"threads\" : 3"), ("\"version\" : 2", "\"version\" : 1"),
        ("1.5", "-1.5"), ("1.5", "1e999"), ("1.5", "0"), ("1.5", "0.5"), ("32", "3"), ("32", "0"),
        ("\"seconds\"", "\"minutes\""), ("32", "32, 64"),
      ] {
        let changed = good.replacing(old, with: new)
        #expect(changed != good, "\(old)")
        damaged.append(changed)
      }
      for text in damaged {
        try Data(text.utf8).write(to: cache.file(of: key))
        #expect(cache.cost(of: key) == nil, "\(text)")
      }
      cache.store(cost, of: key)
      #expect(cache.cost(of: key) == cost)
    }
  }

  @Test func aFolderThatCannotBeWrittenIsNoMistake() throws {
    let cache = CostModelCache(folder: URL(filePath: "/dev/null/speculate"))
    cache.store(cost, of: key)
    #expect(cache.cost(of: key) == nil)
  }

  /// One generator measures and keeps, the next one uses what was kept, and damage is repaired.
  @Test func generatorsShareWhatTheyMeasured() throws {
    try withFolder { folder in
      func generate(again: Bool = false) throws -> [Token] {
        let generator = try TextGenerator(
          model: TinyModels.target, tokenizer: LetterTokenizer(),
          drafter: .block(TinyModels.drafter(blockSize: 8)), threads: 1,
          costCache: CostModelCache(folder: folder, measuresAgain: again))
        return try generator.generate(
          "abc", parameters: GenerationParameters(maximumTokens: 20, ignoresEnd: true)
        ).tokens
      }
      func entry() throws -> (url: URL, data: Data) {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let url = folder.appending(path: try #require(names.first))
        #expect(names.count == 1)
        return (url, try Data(contentsOf: url))
      }
      let tokens = try generate()
      let damage = Data("damaged".utf8)
      try damage.write(to: entry().url)
      #expect(try generate() == tokens)
      let repaired = try entry().data
      #expect(repaired != damage)
      #expect(try JSONSerialization.jsonObject(with: repaired) is [String: Any])
      // Measuring again replaces a sound entry too.
      #expect(try generate(again: true) == tokens)
      #expect(try entry().data != repaired)
    }
  }

  @Test func keptCurvesAreMovedToFreshMeasurements() throws {
    let runner = TinyModels.runner(threads: 1)
    let measured = try CostModel.measure(runner: runner, source: nil, budget: 0.1)
    let slow = CostModel(
      verify: PassTimes(
        zip(measured.verify.widths, measured.verify.seconds).map { ($0, $1 * 1000) }),
      draft: PassTimes([(1, 1000)]))
    // Other programs may disturb a measurement, but not by a factor of hundreds.
    if let updated = try slow.updated(runner: runner, source: nil) {
      #expect(updated.verify(1) < slow.verify(1) / 50)
      #expect(updated.verify(32) < slow.verify(32) / 50)
      #expect(abs(updated.draft(1) / updated.verify(1) - 1) < 1e-9)
    }
    // Rows that each cost a hundred passes are far from the truth on every machine.
    let steep = CostModel(verify: PassTimes([(1, 1), (32, 3200)]), draft: PassTimes([(1, 1)]))
    #expect(try steep.updated(runner: runner, source: nil) == nil)
  }
}
