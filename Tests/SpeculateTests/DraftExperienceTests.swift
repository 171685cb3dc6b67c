import Files
import Foundation
import Speculate
import Tensors
import TestSupport
import Testing
import Verifier

/// Chances are learned by temperature and place, and kept beside pass times.
@Suite struct DraftExperienceTests {
  @Test func `a confidence is worth what it was at its place`() {
    var calibration = ConfidenceCalibration()
    for _ in 0..<200 {
      calibration.record(0.9, place: 0, accepted: true)
      calibration.record(0.9, place: 3, accepted: false)
    }
    #expect(calibration.acceptance(0.9, place: 0) > 0.9)
    #expect(calibration.acceptance(0.9, place: 3) < 0.1)
    // Places behind one another are counted together, others lean on all.
    #expect(calibration.acceptance(0.9, place: 4) == calibration.acceptance(0.9, place: 3))
    #expect(abs(calibration.acceptance(0.9, place: 1) - 0.5) < 0.1)
    #expect(calibration.acceptance(0.9, place: 1) == calibration.acceptance(0.9))
    #expect(calibration.acceptance(0.2, place: 0) == Double(Float(0.2)))
  }

  private static func way(_ temperature: Float, _ choice: DraftChoice = .coupled)
    -> DraftExperience.Way
  {
    DraftExperience.Way(
      GenerationParameters(sampling: SamplingParameters(temperature: temperature)), choice)
  }

  @Test func `ways differ by temperature, choice and rule`() {
    let ways = [
      Self.way(0), Self.way(0.4), Self.way(0.6), Self.way(1), Self.way(1, .argmax),
      DraftExperience.Way(
        GenerationParameters(sampling: SamplingParameters(temperature: 1), verification: .block),
        .coupled),
    ]
    #expect(Set(ways).count == ways.count)
    #expect(Self.way(1) == Self.way(1.05) && Self.way(5) == Self.way(50))
    // The rule makes no difference to greedy decoding.
    #expect(
      Self.way(0) == DraftExperience.Way(GenerationParameters(verification: .block), .coupled))
  }

  @Test func `what is kept comes back with less weight`() throws {
    let folder = try TemporaryFolder()
    let weights = folder.file("model.safetensors")
    try Data(repeating: 1, count: 9).write(to: weights)
    let cache = CostModelCache(folder: folder.file("cache"))
    let key = try #require(
      CostModelCache.ExperienceKey(target: folder.url.path, drafter: nil))
    var chances = DraftChances()
    for index in 0..<400 {
      chances.record(.model(place: index % 3, confidence: 0.8), accepted: index % 4 == 0)
    }
    var experience = DraftExperience()
    experience[Self.way(1)] = chances
    #expect(cache.experience(of: key) == nil)
    cache.store(experience, of: key)
    let restored = try #require(cache.experience(of: key))
    #expect(restored[Self.way(0.6)] == nil)
    let own = try #require(restored[Self.way(1)])
    #expect(own != chances)
    for place in 0..<3 {
      let (old, new) = (
        chances.calibration.acceptance(0.8, place: place),
        own.calibration.acceptance(0.8, place: place)
      )
      #expect(abs(old - new) < 0.15)
    }
    var (before, after) = (chances, own)
    for _ in 0..<20 {
      before.record(.model(place: 0, confidence: 0.8), accepted: true)
      after.record(.model(place: 0, confidence: 0.8), accepted: true)
    }
    #expect(
      after.calibration.acceptance(0.8, place: 0) > before.calibration.acceptance(0.8, place: 0))
    #expect(
      CostModelCache(folder: folder.file("cache"), measuresAgain: true).experience(of: key) == nil)
  }

  @Test func `other weights have other experience, and damage is ignored`() throws {
    let folder = try TemporaryFolder()
    let weights = folder.file("model.safetensors")
    try Data(repeating: 1, count: 9).write(to: weights)
    let cache = CostModelCache(folder: folder.file("cache"))
    func key() -> CostModelCache.ExperienceKey? {
      CostModelCache.ExperienceKey(target: folder.url.path, drafter: nil)
    }
    let old = try #require(key())
    var experience = DraftExperience()
    experience[Self.way(0)] = DraftChances()
    cache.store(experience, of: old)
    let good = try String(contentsOf: cache.file(of: old), encoding: .utf8)
    var damaged = ["", "{", "[]", "null", String(good.dropLast(9))]
    for (text, new) in [("\"version\" : 1", "\"version\" : 0"), ("\"trials\"", "\"tries\"")] {
      #expect(good.contains(text))
      damaged.append(good.replacing(text, with: new))
    }
    for text in damaged {
      try Data(text.utf8).write(to: cache.file(of: old))
      #expect(cache.experience(of: old) == nil, "\(text.prefix(40))")
    }
    // Counts that can't be are forgotten, way by way.
    let first = try #require(good.firstRange(of: /"hits" : \[\s+0,/))
    try Data(good.replacingCharacters(in: first, with: "\"hits\" : [ 7,").utf8)
      .write(to: cache.file(of: old))
    #expect(try #require(cache.experience(of: old))[Self.way(0)] == nil)
    try Data(repeating: 2, count: 10).write(to: weights)
    let new = try #require(key())
    #expect(new != old && cache.file(of: new) != cache.file(of: old))
    #expect(CostModelCache.ExperienceKey(target: nil, drafter: nil) == nil)
    #expect(CostModelCache.ExperienceKey(target: "/nowhere/else", drafter: nil) == nil)
  }

  /// Generations keep what they learn, and the output doesn't depend on it.
  @Test func `generators share what they learned`() throws {
    let folder = try TemporaryFolder()
    let model = try CausalModel(
      directory: TestFiles.package.appending(path: "Tests/Fixtures/models/qwen3"))
    func generate() throws -> [Token] {
      try TextGenerator(
        model: model, tokenizer: LetterTokenizer(), threads: 1,
        costCache: CostModelCache(folder: folder.url)
      ).generate("abcabcabc", parameters: GenerationParameters(maximumTokens: 40, ignoresEnd: true))
        .tokens
    }
    func entry() throws -> URL {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
      return folder.file(try #require(names.first { $0.hasPrefix("chances-") }))
    }
    let tokens = try generate()
    let kept = try Data(contentsOf: entry())
    #expect(try generate() == tokens)
    #expect(try Data(contentsOf: entry()) != kept)
    try Data("damaged".utf8).write(to: entry())
    #expect(try generate() == tokens)
    #expect(try Data(contentsOf: entry()).count > 100)
  }
}
