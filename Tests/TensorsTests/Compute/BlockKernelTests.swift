import CKernels
import Testing

/// Products of blocks: every build against the portable one, to the bit, and the portable one against
/// plain loops. Values and quantising against the package gguf, to the bit.
struct BlockKernelTests {
  private static let builds: [(name: String, kernels: ck_block_kernels)] =
    (0..<Int32(CK_QUANTIZED_BUILDS)).compactMap { index in
      guard let build = ck_quantized_build(index)?.pointee, let blocks = build.blocks else {
        return nil
      }
      return (String(cString: build.name), blocks.pointee)
    }

  private func size(of type: ck_block_type) -> [(rows: Int, columns: Int)] {
    ck_block_columns(type) == 32
      ? [(16, 32), (37, 160), (40, 576)] : [(16, 256), (37, 512), (40, 768)]
  }

  @Test(arguments: BlockFixtures.types.map(\.name)) func valuesAreThoseOfTheReference(
    name: String
  ) throws {
    let type = try #require(BlockFixtures.types.first { $0.name == name }).type
    let fixture = try BlockFixtures.load(name)
    var values = [Float](repeating: .nan, count: fixture.values.count)
    ck_widen_blocks(type, fixture.blocks, values.count, &values)
    #expect(bits(values) == bits(fixture.values))
    // Fewer columns than the block has.
    var some = [Float](repeating: 7, count: 21)
    ck_widen_blocks(type, fixture.blocks, 20, &some)
    #expect(bits(Array(some[..<20])) == bits(Array(fixture.values[..<20])) && some[20] == 7)
  }

  @Test(arguments: BlockFixtures.types.map(\.name)) func quantisesAsTheReference(
    name: String
  ) throws {
    let type = try #require(BlockFixtures.types.first { $0.name == name }).type
    let fixture = try BlockFixtures.load(name)
    guard let (source, expected) = fixture.quantized else { return }
    var blocks = [UInt8](repeating: 0xff, count: expected.count)
    ck_narrow_blocks(type, source, source.count, &blocks)
    #expect(blocks == expected)
  }

  /// Relative errors of normal values, a little above what is measured.
  @Test(arguments: [
    (CK_Q2_K, 0.29), (CK_Q3_K, 0.165), (CK_Q4_K, 0.078), (CK_Q5_K, 0.04), (CK_Q6_K, 0.02),
    (CK_Q4_1, 0.085), (CK_MXFP4, 0.125),
  ]) func quantisingIsNear(type: ck_block_type, limit: Double) {
    var noise = Noise(5)
    let source = (0..<4096).map { _ in (noise.next() + noise.next() + noise.next()) * 0.02 }
    var blocks = [UInt8](repeating: 0xff, count: ck_block_row_bytes(type, source.count))
    ck_narrow_blocks(type, source, source.count, &blocks)
    var values = [Float](repeating: 0, count: source.count)
    ck_widen_blocks(type, blocks, source.count, &values)
    let errors = zip(source, values).map { Double(($0 - $1) * ($0 - $1)) }.reduce(0, +)
    let squares = source.map { Double($0 * $0) }.reduce(0, +)
    #expect((errors / squares).squareRoot() < limit)
  }

  @Test(arguments: BlockFixtures.types.map(\.name)) func oddValues(name: String) throws {
    let type = try #require(BlockFixtures.types.first { $0.name == name }).type
    func through(_ source: [Float]) -> [Float] {
      var blocks = [UInt8](repeating: 0xff, count: ck_block_row_bytes(type, source.count))
      ck_narrow_blocks(type, source, source.count, &blocks)
      var values = [Float](repeating: 0, count: source.count)
      ck_widen_blocks(type, blocks, source.count, &values)
      return values
    }
    #expect(through([Float](repeating: 0, count: 256)).allSatisfy { $0 == 0 })
    #expect(
      through([1, .nan] + [Float](repeating: 0, count: 254))[..<32].allSatisfy { !$0.isFinite })
    #expect(
      through([-.infinity] + [Float](repeating: 0, count: 255))[..<32].allSatisfy { !$0.isFinite })
    for odd: Float in [3e38, -3e38, 1e-38, -.leastNonzeroMagnitude] {
      #expect(through([Float](repeating: odd, count: 256)).allSatisfy { $0.isFinite })
    }
    // A row that ends within a block.
    let short = through([1, -1, 0.5])
    #expect(zip(short, [1, -1, 0.5] as [Float]).allSatisfy { abs($0 - $1) < 0.35 })
  }

  @Test func panelsHoldTheBlocks() {
    for (name, type) in BlockFixtures.products {
      for (rows, columns) in size(of: type) {
        let blocks = BlockFixtures.random(type, rows: rows, columns: columns, seed: 9)
        let panels = BlockPanels(blocks, type: type, rows: rows, columns: columns)
        let stride = ck_block_row_bytes(type, columns)
        for row in 0..<rows {
          #expect(
            panels.unpacked(row) == Array(blocks[row * stride..<(row + 1) * stride]), "\(name)")
        }
        let ratio = Double(panels.panels.count) / Double((rows + 15) / 16 * 16 * stride)
        #expect(columns < 576 || ratio < 1.02, "\(name) takes \(ratio)")
      }
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 17, 33]) func linear(count: Int) {
    var noise = Noise(UInt64(count))
    for (name, type) in BlockFixtures.products {
      for (rows, columns) in size(of: type) {
        let blocks = BlockFixtures.random(type, rows: rows, columns: columns, seed: 1)
        let panels = BlockPanels(blocks, type: type, rows: rows, columns: columns)
        let x = noise.array(count * columns), bias = noise.array(rows)
        let old = noise.array(count * rows)
        let results = Self.builds.map {
          panels.multiply($0.kernels, x, count: count, into: old, bias: bias)
        }
        let floats = Self.builds.map {
          panels.multiplyFloats($0.kernels, x, count: count, into: old, bias: bias)
        }
        for (index, build) in Self.builds.enumerated() {
          #expect(bits(results[index]) == bits(results[0]), "\(build.name), \(name), \(rows)")
          #expect(bits(floats[index]) == bits(floats[0]), "\(build.name), \(name), \(rows)")
        }
        // The chain of f32 sums, and products whose activations are near: of the last row.
        var expected: [Float] = []
        var exact: [Double] = []
        let m = count - 1
        for r in 0..<rows {
          var sum: Float = 0, double = 0.0
          for c in 0..<columns {
            let (weight, value) = (panels.weights[r * columns + c], x[m * columns + c])
            sum.addProduct(weight, value)
            double += Double(weight) * Double(value)
          }
          expected.append((sum + bias[r]) + old[m * rows + r])
          exact.append(double + Double(bias[r]) + Double(old[m * rows + r]))
        }
        #expect(
          bits(Array(floats[0].suffix(rows))) == bits(expected), "\(name), \(rows)x\(columns)")
        let last = Array(results[0].suffix(rows))
        #expect(relativeError(last, exact) < 0.03, "\(name), \(rows)x\(columns)")
      }
    }
  }

  @Test func rowsAreInvariantToTheirNumber() {
    var noise = Noise(7)
    for (name, type) in BlockFixtures.products {
      let (rows, columns) = (40, 512)
      let blocks = BlockFixtures.random(type, rows: rows, columns: columns, seed: 2)
      let panels = BlockPanels(blocks, type: type, rows: rows, columns: columns)
      let x = noise.array(33 * columns)
      for build in Self.builds {
        let single = (0..<33).map { m in
          panels.multiply(build.kernels, Array(x[m * columns..<(m + 1) * columns]), count: 1)
        }
        for count in 1...33 {
          let start = (33 - count) / 2
          let part = Array(x[start * columns..<(start + count) * columns])
          let together = panels.multiply(build.kernels, part, count: count)
          #expect(
            bits(together) == bits(single[start..<start + count].flatMap { $0 }),
            "\(build.name), \(name), \(count) rows")
        }
        let floats = panels.multiplyFloats(build.kernels, x, count: 33)
        for m in [0, 5, 32] {
          let row = Array(x[m * columns..<(m + 1) * columns])
          #expect(
            bits(panels.multiplyFloats(build.kernels, row, count: 1))
              == bits(Array(floats[m * rows..<(m + 1) * rows])), "\(build.name), \(name)")
        }
      }
    }
  }

  /// The greatest sums there can be: no instruction may saturate or overflow.
  @Test func extremeSumsAreExact() {
    for (name, type) in BlockFixtures.products {
      let columns = 256, size = ck_block_bytes(type)
      // The first bytes are scales, but of MXFP4 and of types that end in them.
      var block = BlockFixtures.random(type, rows: 1, columns: columns, seed: 3)
      for start in stride(from: 0, to: block.count, by: size) {
        for place in 0..<size where !isScale(place, of: type) { block[start + place] = 0xff }
        if type == CK_MXFP4 {
          for place in 1..<size { block[start + place] = 0x77 }
        }
      }
      let blocks = (0..<16).flatMap { _ in block }
      let panels = BlockPanels(blocks, type: type, rows: 16, columns: columns)
      for value: Float in [127, -127] {
        let x = [Float](repeating: value, count: 3 * columns)
        let expected = (0..<3 * 16).map { index in
          (0..<columns).reduce(0.0) {
            $0 + Double(panels.weights[index % 16 * columns + $1]) * Double(value)
          }
        }
        for build in Self.builds {
          #expect(
            relativeError(panels.multiply(build.kernels, x, count: 3), expected) < 1e-5,
            "\(build.name), \(name)")
        }
      }
    }
  }

  private func isScale(_ place: Int, of type: ck_block_type) -> Bool {
    switch type {
    case CK_Q2_K: place >= 80
    case CK_Q3_K: place >= 108
    case CK_Q6_K: place >= 208
    case CK_MXFP4: place == 0
    case CK_Q5_0: place < 2
    default: place < 4
    }
  }

  @Test func activationsThatAreNoNumbersReachTheResult() {
    var noise = Noise(4)
    for (name, type) in BlockFixtures.products {
      let blocks = BlockFixtures.random(type, rows: 20, columns: 256, seed: 4)
      let panels = BlockPanels(blocks, type: type, rows: 20, columns: 256)
      for odd: Float in [.nan, .infinity, -.infinity] {
        var x = noise.array(256)
        x[40] = odd
        for build in Self.builds {
          #expect(
            panels.multiply(build.kernels, x, count: 1).allSatisfy { !$0.isFinite },
            "\(build.name), \(name)")
        }
      }
      let nothing = [Float](repeating: 1e-38, count: 256)
      for build in Self.builds {
        #expect(panels.multiply(build.kernels, nothing, count: 1).allSatisfy { $0 == 0 })
      }
    }
  }
}
