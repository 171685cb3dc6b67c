import Foundation
import Speculate
import Testing

@Suite struct KeyedNoiseTests {
  @Test func numbersDependOnTheTripleAlone() {
    let noise = KeyedNoise(seed: 7)
    let first = (0..<50).map { noise.stream(position: 3).bits($0) }
    _ = noise.stream(position: 4).bits(1)
    #expect((0..<50).reversed().map { noise.stream(position: 3).bits($0) } == first.reversed())
    #expect(Set(first).count == 50)
    #expect(noise.stream(position: 4).bits(0) != first[0])
    #expect(KeyedNoise(seed: 8).stream(position: 3).bits(0) != first[0])
  }

  /// A changed generator would silently change every seeded output, so its values are pinned
  /// (to an independent computation).
  @Test func valuesArePinned() {
    let stream = KeyedNoise(seed: 42).stream(position: 10)
    #expect(
      [0, 1, 151_642].map { stream.bits($0) } == [
        2_492_981_061_275_999, 4_462_858_998_377_461, 1_856_013_672_115_183,
      ])
  }

  @Test func extremesStayInsideTheInterval() {
    let most: UInt64 = (1 << 52) - 1
    #expect(KeyedNoise.uniform(0) == 0x1p-53)
    #expect(KeyedNoise.uniform(most) == 1 - 0x1p-53)
    #expect(abs(KeyedNoise.gumbel(0) - 36.7368) < 1e-3)
    #expect(abs(KeyedNoise.gumbel(most) + 3.6040) < 1e-3)
  }

  @Test func aRowHasNoTwoEqualTokens() {
    let stream = KeyedNoise(seed: 3).stream(position: 9)
    #expect(Set((0..<200_000).map { stream.bits($0) >> 20 }).count == 200_000)
  }

  /// `neighbours` goes along positions and pairs the numbers of adjacent tokens.
  enum Axis: CaseIterable { case token, position, seed, neighbours }

  @Test(arguments: Axis.allCases) func numbersAreUniformAlong(_ axis: Axis) {
    let count = 200_000
    var bins = [Int](repeating: 0, count: 256)
    var lowBins = bins
    var pairs = bins
    var last = 0
    var mean = 0.0
    var square = 0.0
    for index in 0..<count {
      let stream: KeyedNoise.Stream
      switch axis {
      case .token: stream = KeyedNoise(seed: 1).stream(position: 1)
      case .position: stream = KeyedNoise(seed: 1).stream(position: index)
      case .neighbours: stream = KeyedNoise(seed: 1).stream(position: index / 2)
      case .seed: stream = KeyedNoise(seed: UInt64(index)).stream(position: 1)
      }
      let token = axis == .token ? Int32(index) : axis == .neighbours ? Int32(index % 2) : 1
      let uniform = stream.uniform(token)
      let bin = Int(uniform * 256)
      bins[bin] += 1
      lowBins[Int((stream.bits(token) >> 20) & 255)] += 1
      // Neighbours on the axis must be independent: 16 × 16 cells of consecutive pairs.
      if index % 2 == 1 { pairs[last / 16 * 16 + bin / 16] += 1 }
      last = bin
      let gumbel = stream.gumbel(token)
      mean += gumbel / Double(count)
      square += gumbel * gumbel / Double(count)
    }
    let flat = [Double](repeating: 1.0 / 256, count: 256)
    for counts in [bins, lowBins, pairs] {
      let (value, freedom) = ChiSquare.statistic(counts, flat)
      #expect(value < ChiSquare.critical(freedom))
    }
    #expect(abs(mean - 0.5772) < 0.015)
    #expect(abs(square - mean * mean - 1.6449) < 0.04)
  }
}
