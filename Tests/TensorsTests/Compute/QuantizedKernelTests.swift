import CKernels
import Files
import Foundation
import Testing

/// Products of integer weights: every build against the portable one, to the bit, and the portable
/// one against plain loops in double precision.
struct QuantizedKernelTests {
  static var builds: [ck_quantized_kernels] {
    (0..<Int32(CK_QUANTIZED_BUILDS)).compactMap { ck_quantized_build($0)?.pointee }
  }

  static func name(_ build: ck_quantized_kernels) -> String { String(cString: build.name) }

  /// The activations that a product sees: int8 with a scale for each row and group.
  private func quantized(_ x: [Float], columns: Int) -> [Double] {
    var result: [Double] = []
    for start in stride(from: 0, to: x.count, by: columns) {
      for group in stride(from: start, to: start + columns, by: 32) {
        let values = x[group..<min(group + 32, start + columns)]
        let greatest = values.map(abs).max() ?? 0
        guard greatest >= 1e-30 else {
          result += values.map { _ in 0 }
          continue
        }
        let inverse = 127 / greatest
        let scale = Double(greatest * (1 / 127 as Float))
        result += values.map { Double(($0 * inverse).rounded(.toNearestOrEven)) * scale }
      }
    }
    return result
  }

  private func product(
    _ weights: [Float], _ x: [Double], rows: Int, columns: Int, count: Int
  ) -> [Double] {
    (0..<count * rows).map { index in
      let (m, r) = index.quotientAndRemainder(dividingBy: rows)
      return (0..<columns).reduce(0.0) {
        $0 + Double(weights[r * columns + $1]) * x[m * columns + $1]
      }
    }
  }

  @Test func machineIsNamed() {
    print("integer products tested: \(Self.builds.map(Self.name).joined(separator: ", "))")
    #expect(Self.name(Self.builds[0]) == "portable")
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 33, 64])
  func linear(count: Int) {
    var noise = Noise(UInt64(count))
    for (rows, columns) in [(16, 8), (130, 33), (64, 96), (7, 1), (200, 65), (96, 320)] {
      let w = noise.array(rows * columns)
      let x = noise.array(count * columns)
      let bias = noise.array(rows)
      let old = noise.array(count * rows)
      for width in [8, 4] {
        let panels = QuantizedPanels(w, rows: rows, columns: columns, bits: width)
        let results = Self.builds.map {
          panels.multiply($0, x, count: count, into: old, bias: bias, accumulate: true)
        }
        for (build, result) in zip(Self.builds, results) {
          #expect(
            bits(result) == bits(results[0]),
            "\(Self.name(build)), \(width) bits, \(rows)x\(columns)")
        }
        let sums = product(
          panels.weights, quantized(x, columns: columns), rows: rows, columns: columns,
          count: count)
        let expected = sums.enumerated().map { Double(bias[$0 % rows]) + Double(old[$0]) + $1 }
        #expect(relativeError(results[0], expected) < 2e-6)
      }
    }
  }

  @Test(arguments: [8, 4]) func rowsAreInvariantToTheirNumber(width: Int) {
    var noise = Noise(7)
    let (rows, columns) = (150, 77)
    let panels = QuantizedPanels(
      noise.array(rows * columns), rows: rows, columns: columns, bits: width)
    let x = noise.array(64 * columns)
    for build in Self.builds {
      let single = (0..<64).map { m in
        panels.multiply(build, Array(x[m * columns..<(m + 1) * columns]), count: 1)
      }
      for count in 1...64 {
        let start = (64 - count) / 2
        let part = Array(x[start * columns..<(start + count) * columns])
        let together = panels.multiply(build, part, count: count)
        #expect(bits(together) == bits(single[start..<start + count].flatMap { $0 }))
      }
    }
  }

  /// Shapes and widths at random: what the chosen sizes above may have missed.
  @Test func anyShape() {
    var random = SplitMix(seed: 5)
    var noise = Noise(11)
    for _ in 0..<60 {
      let rows = Int.random(in: 1...100, using: &random)
      let columns = Int.random(in: 1...200, using: &random)
      let count = Int.random(in: 1...70, using: &random)
      let x = noise.array(count * columns)
      for width in [8, 4] {
        let panels = QuantizedPanels(
          noise.array(rows * columns), rows: rows, columns: columns, bits: width)
        let results = Self.builds.map { panels.multiply($0, x, count: count) }
        for result in results { #expect(bits(result) == bits(results[0])) }
        let expected = product(
          panels.weights, quantized(x, columns: columns), rows: rows, columns: columns,
          count: count)
        #expect(relativeError(results[0], expected) < 2e-6)
      }
    }
  }

  /// The greatest sums there can be: no instruction may saturate or overflow.
  @Test(arguments: [8, 4]) func extremeSumsAreExact(width: Int) {
    let columns = 64
    for sign: Float in [1, -1] {
      // int4 takes -8 only on the side of the value of greatest magnitude, which is where it counts.
      let panels = QuantizedPanels(
        [Float](repeating: sign * 127, count: 16 * columns), rows: 16, columns: columns,
        bits: width)
      #expect(panels.weights.allSatisfy { abs($0 - sign * 127) < 0.1 })
      for value: Float in [127, -127] {
        let x = [Float](repeating: value, count: 6 * columns)
        for build in Self.builds {
          for count in 1...6 {
            let result = panels.multiply(build, Array(x.prefix(count * columns)), count: count)
            let expected = product(
              panels.weights, quantized(x, columns: columns), rows: 16, columns: columns,
              count: count)
            #expect(relativeError(result, expected) < 1e-6, "\(Self.name(build))")
          }
        }
      }
    }
  }

  @Test(arguments: [8, 4]) func quantisingIsNear(width: Int) {
    var noise = Noise(3)
    let (rows, columns) = (33, 100)
    let w = noise.array(rows * columns, scale: 0.05)
    let panels = QuantizedPanels(w, rows: rows, columns: columns, bits: width)
    for row in 0..<rows {
      let expected = Array(panels.weights[row * columns..<(row + 1) * columns])
      #expect(bits(panels.unpacked(row)) == bits(expected))
    }
    let error = zip(w, panels.weights).map { abs($0 - $1) }.max() ?? 1
    let step: Float = width == 8 ? 0.05 / 127 : 0.05 / 7
    #expect(error < step * (width == 8 ? 0.6 : 1.3))
    // What has been quantised to 8 bits stays as it is.
    if width == 8 {
      let again = QuantizedPanels(panels.weights, rows: rows, columns: columns, bits: width)
      #expect(bits(again.weights) == bits(panels.weights))
    }
  }

  @Test(arguments: [8, 4]) func groupsOfOddValues(width: Int) {
    func quantize(_ w: [Float]) -> (q: [Int8], scale: Float) {
      var q = [Int8](repeating: 9, count: w.count)
      var scale: UInt16 = 1
      ck_quantize_row(Int32(width), w, w.count, &q, &scale)
      return (q, ck_half(scale))
    }
    let zeros = quantize([0, -0, 0])
    #expect(zeros.q == [0, 0, 0] && zeros.scale == 0)
    #expect(quantize([1, .nan]).scale.isNaN && quantize([1, -.infinity]).scale.isNaN)
    // Beyond what a scale can say: saturated, not infinite.
    let huge = quantize([3e38, -1])
    #expect(huge.scale.magnitude == 65504 && abs(Int(huge.q[0])) >= 7)
    let tiny = quantize([1e-9, -1e-9])
    #expect(tiny.scale == 0 && tiny.q == [0, 0])
    let limits = width == 8 ? -127...127 : -8...7
    let mixed = quantize([-5, 5, 2.5, 0.1])
    #expect(mixed.q.allSatisfy { limits.contains(Int($0)) })
  }

  @Test func activationsThatAreNoNumbersReachTheResult() {
    var noise = Noise(4)
    let columns = 70
    for width in [8, 4] {
      let panels = QuantizedPanels(
        noise.array(20 * columns), rows: 20, columns: columns, bits: width)
      for odd: Float in [.nan, .infinity, -.infinity] {
        var x = noise.array(columns)
        x[40] = odd
        for build in Self.builds {
          #expect(panels.multiply(build, x, count: 1).allSatisfy { !$0.isFinite })
        }
      }
      let nothing = [Float](repeating: 1e-38, count: columns)
      for build in Self.builds {
        #expect(panels.multiply(build, nothing, count: 1).allSatisfy { $0 == 0 })
      }
    }
  }

  @Test func pairsOfSmallIntegers() {
    for count in [1, 2, 7, 32] {
      let q = (0..<count).map { Int8($0 * 5 % 16 - 8) }
      var pairs = [UInt8](repeating: 0, count: (count + 1) / 2)
      ck_pair_int4(q, count, &pairs)
      var back = [Int8](repeating: 0, count: count)
      ck_unpair_int4(pairs, count, &back)
      #expect(back == q)
      var wide = [Float](repeating: 0, count: count)
      ck_widen_int4(pairs, [0x3800], count, &wide)
      #expect(wide == q.map { Float($0) * 0.5 })
    }
  }

  @Test func everyHalf() {
    for pattern in UInt16.min...UInt16.max {
      let value = ck_half(pattern)
      let expected = Float(Float16(bitPattern: pattern))
      #expect(value == expected || (value.isNaN && expected.isNaN))
    }
  }
}
