import CKernels
import Foundation
import Testing

/// Every build of every kernel against the portable one, to the bit, and the portable one against
/// plain loops in double precision.
struct KernelTests {
  typealias Build = UnsafePointer<ck_kernels>

  static var builds: [(isa: ck_isa, kernels: Build)] {
    [CK_PORTABLE, CK_AVX2, CK_AVX512, CK_AVX512BF16]
      .compactMap { isa in ck_kernels_of(isa).map { (isa, $0) } }
  }

  /// Runs `body` with each build that this machine has and checks that the results agree to the bit.
  private func compare(
    _ builds: [(isa: ck_isa, kernels: Build)] = KernelTests.builds,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: (ck_kernels) -> [Float]
  ) -> [Float] {
    let portable = body(builds[0].kernels.pointee)
    for build in builds.dropFirst() {
      let name = String(cString: ck_isa_name(build.isa))
      let result = body(build.kernels.pointee)
      #expect(bits(result) == bits(portable), "\(name)", sourceLocation: sourceLocation)
    }
    return portable
  }

  @Test func machineIsNamed() {
    let names = Self.builds.map { String(cString: ck_isa_name($0.isa)) }
    print("instruction sets tested: \(names.joined(separator: ", "))")
    #expect(names.first == "portable")
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 33, 64])
  func linear(count: Int) {
    var noise = Noise(UInt64(count))
    for (rows, columns) in [(16, 8), (130, 33), (64, 96), (7, 1), (200, 65)] {
      let w = noise.array(rows * columns)
      let x = noise.array(count * columns)
      let bias = noise.array(rows)
      let old = noise.array(count * rows)
      for bf16 in [false, true] {
        let weights = bf16 ? w.map(roundedToBF16) : w
        let panels = Panels(weights, rows: rows, columns: columns, bf16: bf16)
        // VDPBF16PS has arithmetic of its own; see `bf16Products`.
        let builds = bf16 ? Self.builds.filter { $0.isa != CK_AVX512BF16 } : Self.builds
        let result = compare(builds) {
          panels.multiply($0, x, count: count, into: old, bias: bias, accumulate: true)
        }
        var expected: [Double] = []
        for m in 0..<count {
          for r in 0..<rows {
            var sum = Double(bias[r]) + Double(old[m * rows + r])
            for c in 0..<columns {
              sum += Double(weights[r * columns + c]) * Double(x[m * columns + c])
            }
            expected.append(sum)
          }
        }
        #expect(relativeError(result, expected) < 2e-6)
      }
    }
  }

  @Test(arguments: [false, true]) func rowsAreInvariantToTheirNumber(bf16: Bool) {
    var noise = Noise(7)
    let (rows, columns) = (150, 77)
    let panels = Panels(noise.array(rows * columns), rows: rows, columns: columns, bf16: bf16)
    let x = noise.array(64 * columns)
    for (_, kernels) in Self.builds {
      let kernels = kernels.pointee
      let single = (0..<64).map { m in
        panels.multiply(kernels, Array(x[m * columns..<(m + 1) * columns]), count: 1)
      }
      for count in 1...64 {
        let start = (64 - count) / 2
        let part = Array(x[start * columns..<(start + count) * columns])
        let together = panels.multiply(kernels, part, count: count)
        #expect(bits(together) == bits(single[start..<start + count].flatMap { $0 }))
      }
    }
  }

  @Test func bf16Products() {
    // The instruction rounds activations, so it is compared with rounded activations and a bound.
    guard let build = Self.builds.first(where: { $0.isa == CK_AVX512BF16 }) else {
      print("skipped: this machine has no AVX-512 BF16")
      return
    }
    var noise = Noise(3)
    let (rows, columns, count) = (70, 129, 9)
    let w = noise.array(rows * columns).map(roundedToBF16)
    let x = noise.array(count * columns).map(roundedToBF16)
    let panels = Panels(w, rows: rows, columns: columns, bf16: true)
    let result = panels.multiply(build.kernels.pointee, x, count: count)
    let expected = (0..<count * rows).map { index in
      let (m, r) = index.quotientAndRemainder(dividingBy: rows)
      return (0..<columns).reduce(0.0) {
        $0 + Double(w[r * columns + $1]) * Double(x[m * columns + $1])
      }
    }
    #expect(relativeError(result, expected) < 1e-5)
  }

  @Test(arguments: [1, 9, 64, 70]) func rowsRoundedBeforehand(count: Int) {
    guard let build = Self.builds.first(where: { $0.isa == CK_AVX512BF16 })?.kernels.pointee,
      let round = build.round_rows
    else {
      print("skipped: this machine has no AVX-512 BF16")
      return
    }
    var noise = Noise(UInt64(count))
    for (rows, columns) in [(70, 129), (16, 7), (48, 64)] {
      let x = noise.array(count * columns)
      let panels = Panels(noise.array(rows * columns), rows: rows, columns: columns, bf16: true)
      let bias = noise.array(rows)
      let old = noise.array(count * rows)
      let stride = (columns + 1) / 2 * 2
      var rounded = [UInt16](repeating: 0, count: count * stride)
      for row in 0..<count {
        // In two parts, as workers do that share a row.
        let part = columns / 3
        x.withUnsafeBufferPointer { x in
          rounded.withUnsafeMutableBufferPointer { out in
            guard let x = x.baseAddress, let out = out.baseAddress else { return }
            let (from, to) = (x + row * columns, out + row * stride)
            round(from, to, part)
            round(from + part, to + part, columns - part)
          }
        }
      }
      let result = panels.multiply(
        build, x, count: count, into: old, bias: bias, accumulate: true, rounded: rounded)
      let expected = panels.multiply(
        build, x, count: count, into: old, bias: bias, accumulate: true)
      #expect(bits(result) == bits(expected))
    }
  }

  @Test(arguments: [1, 2, 15, 16, 17, 64, 100, 384, 1000]) func rows(count: Int) {
    var noise = Noise(UInt64(count))
    let x = noise.array(count, scale: 4)
    let weight = noise.array(count)
    let other = noise.array(count)
    let norm = compare { k in
      var y = x
      k.rms_norm(x, weight, &y, count, 1e-6)
      return y
    }
    let mean = x.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(count)
    let normed = zip(x, weight).map { Double($0) * Double($1) / (mean + 1e-6).squareRoot() }
    #expect(relativeError(norm, normed) < 1e-6)

    for bias in [nil, Optional(other)] {
      let centred = compare { k in
        var y = x
        k.layer_norm(x, weight, bias, &y, count, 1e-6)
        return y
      }
      let average = x.reduce(0.0) { $0 + Double($1) } / Double(count)
      let variance = x.reduce(0.0) { $0 + pow(Double($1) - average, 2) } / Double(count)
      let expected = x.indices.map {
        (Double(x[$0]) - average) / (variance + 1e-6).squareRoot() * Double(weight[$0])
          + Double(bias?[$0] ?? 0)
      }
      #expect(relativeError(centred, expected) < 2e-6)
    }

    let powers = compare { k in
      var y = x
      return [k.exponential(x, &y, count, 0.5, 2)] + y
    }
    let expected = x.map { exp((Double($0) - 0.5) * 2) }
    #expect(relativeError(Array(powers.dropFirst()), expected) < 1e-6)
    #expect(relativeError([powers[0]], [expected.reduce(0, +)]) < 1e-6)

    let sums = compare { k in
      var y = x
      k.add(&y, weight, count)
      k.scale(&y, count, 3)
      return y + [k.maximum(x, count), Float(k.argmax(x, count)), k.read_sum(x, count)]
    }
    #expect(sums[count] == x.max())
    #expect(Int(sums[count + 1]) == x.firstIndex(of: x.max() ?? 0))
    #expect(relativeError([sums[count + 2]], [x.reduce(0.0) { $0 + Double($1) }]) < 1e-5)
    #expect(Array(sums.prefix(count)) == zip(x, weight).map { ($0 + $1) * 3 })

    let clipped = compare { k in
      var y = x
      k.clip(&y, count, 1.5)
      return y
    }
    #expect(clipped == x.map { min(max($0, -1.5), 1.5) })

    let half = count / 2
    let rotated = compare { k in
      var y = x
      k.rope(&y, x, weight, half * 2)
      return y
    }
    for i in 0..<half {
      let (a, b, cosine, sine) = (x[i], x[half + i], x[i], weight[i])
      let first: Float = a * cosine - b * sine
      let second: Float = b * cosine + a * sine
      #expect(abs(rotated[i] - first) < 1e-5)
      #expect(abs(rotated[half + i] - second) < 1e-5)
    }
  }

  @Test(arguments: [2, 16, 32, 48, 80, 128]) func pairsOfNeighboursAreRotated(count: Int) {
    var noise = Noise(UInt64(count))
    let x = noise.array(count)
    let (cosines, sines) = (noise.array(count / 2), noise.array(count / 2))
    let rotated = compare { k in
      var y = x
      k.rope_pairs(&y, cosines, sines, count)
      return y
    }
    for i in 0..<count / 2 {
      let (a, b) = (x[2 * i], x[2 * i + 1])
      #expect(abs(rotated[2 * i] - (a * cosines[i] - b * sines[i])) < 1e-6)
      #expect(abs(rotated[2 * i + 1] - (b * cosines[i] + a * sines[i])) < 1e-6)
    }
  }

  @Test(arguments: [1, 16, 37]) func cappedValuesAreThoseOfTheTangent(count: Int) {
    var noise = Noise(UInt64(count))
    let x = noise.array(count, scale: 100) + [0, -0.0, 1e-6, 30, -30, 1e9, -1e9, .infinity]
    let capped = compare { k in
      var y = x
      k.soft_cap(&y, y.count, 30)
      return y
    }
    for (value, capped) in zip(x, capped) {
      #expect(abs(Double(capped) - 30 * tanh(Double(value) / 30)) < 3e-6)
    }
    let special = compare { k in
      var y: [Float] = [-.infinity, .nan]
      k.soft_cap(&y, 2, 30)
      return y
    }
    #expect(special[0] == -.infinity && special[1].isNaN)
  }

  @Test func greatestOfEqualsIsTheFirst() {
    for position in [0, 5, 16, 63, 64, 130] {
      var x = [Float](repeating: -1, count: 200)
      x[position] = 2
      x[150] = 2
      let found = compare { [Float($0.argmax(x, x.count))] }
      #expect(found == [Float(position)])
    }
    #expect(ck_argmax([Float.nan, .nan], 2) == 0)
    #expect(ck_maximum([], 0) == -.infinity)
  }

  @Test func exponentialsAtTheEdges() {
    let x: [Float] = [-1000, -87.4, -87.2, 0, 1, 88, 1000, .nan, -.infinity]
    let y = compare { k in
      var y = x
      _ = k.exponential(x, &y, x.count, 0, 1)
      return y
    }
    #expect(y[0] == 0 && y[1] == 0 && y[8] == 0 && y[3] == 1)
    #expect(y[2] > 0 && y[6].isFinite && y[7].isNaN)
  }

  @Test func roundingToBF16() {
    let x: [Float] = [1, -1.00390625, 1.01171875, 3.4e38, .infinity, .nan, 1e-38, -0.0]
    var y = [UInt16](repeating: 0, count: x.count)
    ck_narrow_bf16(x, &y, x.count)
    #expect(y[0] == 0x3f80 && y[1] == 0xbf80 && y[2] == 0x3f82)  // ties go to even
    #expect(y[4] == 0x7f80 && y[5] & 0x7fff > 0x7f80 && y[7] == 0x8000)
    var wide = [Float](repeating: 0, count: x.count)
    ck_widen_bf16(y, &wide, y.count)
    #expect(wide[0] == 1 && wide[5].isNaN && wide[3] == roundedToBF16(3.4e38))
  }
}
