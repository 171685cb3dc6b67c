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
        7_860_457_088_261_310_307, 9_133_116_223_729_083_849, 18_356_387_201_577_794_746,
      ])
  }

  @Test func extremesStayInsideTheInterval() {
    #expect(KeyedNoise.uniform(0) == 0x1p-53)
    #expect(KeyedNoise.uniform(.max) == 1 - 0x1p-53)
    #expect(abs(KeyedNoise.gumbel(0) - 36.7368) < 1e-3)
    #expect(abs(KeyedNoise.gumbel(.max) + 3.6040) < 1e-3)
  }

  @Test func leadingZerosBoundTheGumbelNumber() {
    var random = RandomNumbers(seed: 1)
    for shift in 0..<64 {
      for _ in 0..<200 {
        let bits = UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64(shift)
        #expect(KeyedNoise.gumbel(bits) <= KeyedNoise.gumbelBound(bits))
        #expect(KeyedNoise.gumbelBound(bits) - KeyedNoise.gumbel(bits) < 37)
      }
    }
    #expect(KeyedNoise.gumbel(0) <= KeyedNoise.gumbelBound(0))
  }

  enum Axis: CaseIterable { case token, position, seed }

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
      case .seed: stream = KeyedNoise(seed: UInt64(index)).stream(position: 1)
      }
      let token = axis == .token ? Int32(index) : 1
      let uniform = stream.uniform(token)
      let bin = Int(uniform * 256)
      bins[bin] += 1
      lowBins[Int((stream.bits(token) >> 12) & 255)] += 1
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
