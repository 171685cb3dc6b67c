import Files
import Foundation
import Speculate
import TestSupport
import Testing

@Suite struct ArgmaxTests {
  @Test func tiesGoToTheLowestColumn() {
    #expect(Argmax.index([1, 3, 3, 2], count: 4) == 1)
    #expect(Argmax.index([-.infinity, -.infinity], count: 2) == 0)
    #expect(Argmax.index([.nan, -5, .nan, -5], count: 4) == 1)
    #expect(Argmax.index([.nan], count: 1) == 0)
  }

  @Test(arguments: [1, 7, 100, 5000]) func theShortSearchFindsTheGumbelMaximum(_ count: Int) {
    var random = RandomNumbers(seed: UInt64(count))
    for spread: Float in [0, 0.1, 2, 20] {
      for position in 0..<40 {
        var row = random.logits(count, spread: spread)
        if position % 4 == 0, count > 7 {
          for index in 0..<count where index % 3 != 0 { row[index] = -.infinity }
        }
        let noise = KeyedNoise(seed: 5).stream(position: position)
        let keys = row.indices.map { Double(row[$0]) + noise.gumbel(Token($0)) }
        #expect(
          Argmax.gumbelIndex(row, count: count, noise: noise) == keys.firstIndex(of: keys.max()!))
      }
    }
  }

  /// The runners-up are those that sorting all columns gives, with and without noise.
  @Test(arguments: [1, 7, 300, 5000]) func theShortSearchFindsTheRunnersUp(_ count: Int) {
    var random = RandomNumbers(seed: UInt64(count))
    for spread: Float in [0.1, 2, 20] {
      for position in 0..<40 {
        var row = random.logits(count, spread: spread)
        if position % 4 == 0, count > 7 {
          for index in 0..<count where index % 3 != 0 { row[index] = -.infinity }
        }
        let noise = position % 2 == 0 ? nil : KeyedNoise(seed: 5).stream(position: position)
        let keys = row.indices.map { Double(row[$0]) + (noise?.gumbel(Token($0)) ?? 0) }
        let order = row.indices.sorted { (keys[$0], $1) > (keys[$1], $0) }
        let (limit, depth) = (1 + position % 5, position % 3 == 0 ? 1.5 : 8)
        var found: [(column: Int, distance: Double)] = [(7, 7)]
        Argmax.runnersUp(
          row, count: count, winner: order[0], noise: noise, map: nil, limit: limit, depth: depth,
          into: &found)
        let expected = order.dropFirst().prefix(limit).filter {
          keys[order[0]] - keys[$0] <= depth
        }
        #expect(found.map(\.column) == expected)
        #expect(found.allSatisfy { $0.distance == keys[order[0]] - keys[$0.column] })
      }
    }
  }

  @Test func aMapGivesColumnsTheNoiseOfTheirTokens() throws {
    var random = RandomNumbers(seed: 3)
    let tokens: [Token] = [2, 3, 5, 7, 11, 13, 17, 19]
    let map = try VocabularyMap(tokens: tokens, vocabulary: 20)
    for position in 0..<200 {
      let row = random.logits(tokens.count)
      var whole = [Float](repeating: -.infinity, count: 20)
      for (column, token) in tokens.enumerated() { whole[Int(token)] = row[column] }
      let noise = KeyedNoise(seed: 5).stream(position: position)
      let column = Argmax.gumbelIndex(row, count: row.count, noise: noise, map: map)
      #expect(Int(tokens[column]) == Argmax.gumbelIndex(whole, count: 20, noise: noise))
    }
  }

  @Test func aMapMustBeOneToOne() {
    #expect(
      throws: SpeculateError(
        "draft vocabulary names token 9, but the target has 9 tokens:"
          + " use a drafter made for this target")
    ) { try VocabularyMap(tokens: [1, 9], vocabulary: 9) }
    #expect(
      throws: SpeculateError("draft vocabulary names token 1 twice: the map is damaged")
    ) { try VocabularyMap(tokens: [1, 2, 1], vocabulary: 9) }
  }

  /// The sampled tokens follow the distribution, over positions as over seeds.
  @Test(arguments: [false, true]) func samplesFollowTheSoftmax(overSeeds: Bool) {
    let row: [Float] = [2, 1, 0.5, 0, -1, -3, -.infinity, 1]
    let weights = row.map { exp(Double($0)) }
    let total = weights.reduce(0, +)
    var counts = [Int](repeating: 0, count: row.count)
    for draw in 0..<200_000 {
      let noise =
        overSeeds
        ? KeyedNoise(seed: UInt64(draw)).stream(position: 5)
        : KeyedNoise(seed: 9).stream(position: draw)
      counts[Argmax.gumbelIndex(row, count: row.count, noise: noise)] += 1
    }
    #expect(counts[6] == 0)
    let (value, freedom) = ChiSquare.statistic(counts, weights.map { $0 / total })
    #expect(value < ChiSquare.critical(freedom))
  }
}
