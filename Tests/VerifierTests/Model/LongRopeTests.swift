import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Verifier

/// Texts within and beyond the original context of LongRoPE, which is 128 here.
@Suite struct LongRopeTests {
  private static let reference = ReferenceModel(name: "phi3-longrope")

  private func runner() throws -> CausalRunner {
    CausalRunner(
      model: try CausalModel(directory: Self.reference.directory), workers: Workers(count: 1),
      maximumRows: 32)
  }

  /// Logits and ids of transformers, whose text is a long one from its first token on.
  @Test func longTextsHaveTheOtherDivisors() throws {
    let data = try Data(contentsOf: Self.reference.directory.appending(path: "long.json"))
    let expected = try JSONDecoder().decode(ReferenceModel.Expected.self, from: data)
    let runner = try runner()
    let capacity = expected.inputIDs.count + expected.greedyIDs.count
    let cache = try runner.makeCache(capacity: capacity)
    var logits: [[Float]] = []
    let vocabulary = runner.model.configuration.vocabularySize
    runner.read(expected.inputIDs, into: cache, logits: .all) { piece in
      for row in piece {
        let start = runner.logits + (row - piece.lowerBound) * vocabulary
        logits.append(Array(UnsafeBufferPointer(start: start, count: vocabulary)))
      }
      return true
    }
    for (row, own) in zip(expected.logitRows, expected.logits) {
      let distance = logits[row].withUnsafeBufferPointer { ReferenceModel.distance($0, from: own) }
      #expect(distance < ReferenceTests.tolerance, "row \(row)")
    }
    let again = try runner.makeCache(capacity: 256)
    try again.reset(reaching: capacity)
    let ids = greedy(runner, again, after: expected.inputIDs, count: expected.greedyIDs.count)
    #expect(ids == expected.greedyIDs)
  }

  /// A cache that serves texts of both kinds in turn gives each what a new one does.
  @Test func aCacheServesBothKinds() throws {
    let runner = try runner()
    let text = (0..<40).map { Token($0 * 7 % 60 + 3) }
    func bitsOfAll(_ cache: KeyValueCache) throws -> [[UInt32]] {
      try text.map { token in
        try cache.reserve(text.count)
        runner.read([token], into: cache, logits: .last)
        return bits(runner, row: 0)
      }
    }
    let short = try bitsOfAll(runner.makeCache(capacity: 128))
    let long = try bitsOfAll(runner.makeCache(capacity: 129))
    #expect(short[0] == long[0] && short[20] != long[20])
    let cache = try runner.makeCache(capacity: 256, room: 1)
    for (reach, expected) in [(256, long), (128, short), (40, short), (129, long), (.max, long)] {
      try cache.reset(reaching: reach)
      #expect(cache.capacity == (reach > 128 ? 256 : 128))
      #expect(try bitsOfAll(cache) == expected, "\(reach)")
    }
    try cache.reset(reaching: 128)
    cache.reset()
    #expect(try bitsOfAll(cache) == short)
  }

  /// Models without two kinds of angles keep their capacity.
  @Test func otherModelsHaveOneKind() throws {
    let model = try CausalModel(directory: ReferenceModel(name: "llama").directory)
    let runner = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 8)
    let cache = try runner.makeCache(capacity: 100)
    for reach in [1, 1000] {
      try cache.reset(reaching: reach)
      #expect(cache.capacity == 112)
    }
    #expect(model.configuration.evenContext == 256)
  }
}
