import CKernels
import Foundation
import Testing

/// Attention of every build against the portable one and of rows that share a call against rows
/// alone, to the bit; and the portable one against plain loops in double precision.
struct AttentionTests {
  /// Keys and values of one head; what was not written is garbage.
  private struct Head {
    static let positions = 600
    static let capacity = 640
    let dimension: Int
    let raw: [Float]
    var keys: [Float]
    var values: [Float]

    init(dimension: Int, noise: inout Noise) {
      self.dimension = dimension
      keys = [Float](repeating: .nan, count: Self.capacity * dimension)
      values = keys
      raw = noise.array(Self.positions * dimension)
      for position in 0..<Self.positions {
        raw.withUnsafeBufferPointer {
          ck_store_key(&keys, $0.baseAddress! + position * dimension, position, dimension)
        }
      }
      for index in 0..<Self.positions * dimension { values[index] = noise.next() }
    }

    /// Attention of one row in double precision.
    func expected(_ row: AttentionRows, _ queries: some Collection<Float>) -> [Double] {
      let queries = queries.map(Double.init)
      return (0..<row.heads).flatMap { head -> [Double] in
        let scores = (row.first..<row.end).map { key in
          let score =
            0.3
            * (0..<dimension).reduce(0.0) {
              $0 + queries[head * dimension + $1] * Double(raw[key * dimension + $1])
            }
          let cap = Double(row.cap)
          return cap > 0 ? cap * tanh(score / cap) : score
        }
        let top = scores.max() ?? 0
        let weights = scores.map { exp($0 - top) }
        let sink = row.sinks.isEmpty ? 0 : exp(Double(row.sinks[head]) - top)
        let sum = weights.reduce(sink, +)
        return (0..<dimension).map { column in
          zip(row.first..<row.end, weights).reduce(0.0) {
            $0 + Double(values[$1.0 * dimension + column]) * $1.1 / sum
          }
        }
      }
    }
  }

  /// Scores as they are, or capped, with and without sinks; some sinks are above all scores.
  private static func variants(of row: AttentionRows) -> [AttentionRows] {
    var (capped, sunk) = (row, row)
    capped.cap = 1.5
    sunk.sinks = (0..<row.heads).map { Float($0 * 3) - 2 }
    var both = sunk
    both.cap = capped.cap
    return [row, capped, sunk, both]
  }

  private static let ranges = [
    (0, 1), (0, 16), (0, 255), (0, 257), (3, 300), (250, 590), (290, 300), (500, 513),
  ]

  @Test(arguments: [1, 3, 4, 6, 8], [8, 20, 64, 80])
  func rowsAreThoseOfPlainLoops(heads: Int, dimension: Int) {
    var noise = Noise(UInt64(heads * 100 + dimension))
    let head = Head(dimension: dimension, noise: &noise)
    let queries = noise.array(heads * dimension, scale: 3)
    for (first, end) in Self.ranges {
      let row = AttentionRows(heads: heads, dimension: dimension, first: first, end: end)
      for row in Self.variants(of: row) {
        let portable = row.attend(queries) {
          KernelTests.builds[0].kernels.pointee.attend($0, head.keys, head.values, dimension)
        }
        #expect(relativeError(portable, head.expected(row, queries)) < 5e-6)
      }
    }
  }

  /// Rows that begin in different chunks, end in different chunks, or see the same keys; the most are
  /// more than one batch.
  private static func groups(heads: Int, dimension: Int) -> [AttentionRows] {
    ranges.flatMap { first, end in
      [(1, 0), (2, 1), (5, 0), (5, 1), (9, 1), (4, 3), (40, 1)].flatMap { count, step in
        variants(
          of: AttentionRows(
            rows: count, heads: heads, dimension: dimension, first: first, end: end,
            step: min(step, (Head.positions - end) / count)))
      }
    }
  }

  @Test(arguments: [1, 2, 3, 7], [20, 64])
  func rowsAreInvariantToThoseBeside(heads: Int, dimension: Int) {
    var noise = Noise(UInt64(heads * 1000 + dimension))
    let head = Head(dimension: dimension, noise: &noise)
    let width = heads * dimension
    let queries = noise.array(40 * width, scale: 3)
    for rows in Self.groups(heads: heads, dimension: dimension) {
      let portable = KernelTests.builds[0].kernels.pointee
      let alone = (0..<rows.rows).flatMap { row in
        rows.row(row).attend(queries[row * width..<(row + 1) * width]) {
          portable.attend($0, head.keys, head.values, dimension)
        }
      }
      for build in KernelTests.builds {
        let together = rows.attend(queries[..<(rows.rows * width)]) {
          build.kernels.pointee.attend($0, head.keys, head.values, dimension)
        }
        #expect(
          bits(together) == bits(alone), "\(String(cString: ck_isa_name(build.isa))), \(rows)")
      }
      #expect(alone.allSatisfy { $0.isFinite })
    }
  }

  /// The keys and values of one head in bf16, and what they are in f32.
  private struct HalfHead {
    static let positions = Head.positions
    static let capacity = 608
    var keys: [UInt16]
    var values: [UInt16]
    var wideKeys: [Float]
    var wideValues: [Float]

    init(dimension: Int, noise: inout Noise) {
      keys = [UInt16](repeating: 0x7fc0, count: Self.capacity * dimension)
      wideKeys = [Float](repeating: .nan, count: Self.capacity * dimension)
      values = keys
      for position in 0..<Self.positions {
        let key = noise.array(dimension)
        ck_store_key(&wideKeys, key.map(roundedToBF16), position, dimension)
        ck_store_key_bf16(&keys, key, position, dimension)
      }
      let raw = noise.array(Self.positions * dimension)
      wideValues = raw.map(roundedToBF16)
      ck_narrow_bf16(raw, &values, raw.count)
    }
  }

  /// Whether a build rounds queries and weights as well, and multiplies pairs.
  private static func multipliesPairs(_ build: ck_isa, dimension: Int) -> Bool {
    build == CK_AVX512BF16 && dimension.isMultiple(of: 32)
  }

  /// A bf16 cache holds rounded keys and values, and nothing else changes.
  @Test(arguments: [1, 3, 6], [8, 20, 64])
  func halfPrecisionCachesAreRounded(heads: Int, dimension: Int) {
    var noise = Noise(UInt64(heads * 100 + dimension))
    let head = HalfHead(dimension: dimension, noise: &noise)
    let queries = noise.array(3 * heads * dimension, scale: 3)
    for (first, end) in [(0, 1), (0, 255), (3, 300), (250, 597)] {
      let rows = AttentionRows(
        rows: 3, heads: heads, dimension: dimension, first: first, end: end, step: 1)
      for build in KernelTests.builds
      where !Self.multipliesPairs(build.isa, dimension: dimension) {
        let kernels = build.kernels.pointee
        let expected = rows.attend(queries) {
          kernels.attend($0, head.wideKeys, head.wideValues, dimension)
        }
        let result = rows.attend(queries) {
          kernels.attend_bf16($0, head.keys, head.values, dimension)
        }
        #expect(bits(result) == bits(expected), "\(String(cString: ck_isa_name(build.isa)))")
        #expect(result.allSatisfy { $0.isFinite })
      }
    }
  }

  /// Pairs of keys begin and end inside the range that a row sees, and what is around it is garbage.
  @Test(arguments: [1, 2, 3, 4, 7], [32, 64, 96])
  func pairsOfBF16ValuesAreInvariantToRowsBeside(heads: Int, dimension: Int) {
    guard let build = KernelTests.builds.first(where: { $0.isa == CK_AVX512BF16 }) else {
      print("skipped: this machine has no AVX-512 BF16")
      return
    }
    let kernels = build.kernels.pointee
    var noise = Noise(UInt64(heads * 1000 + dimension))
    let head = HalfHead(dimension: dimension, noise: &noise)
    let width = heads * dimension
    let queries = noise.array(40 * width, scale: 3)
    for rows in Self.groups(heads: heads, dimension: dimension) {
      let alone = (0..<rows.rows).flatMap { row in
        // A row alone must not see the keys and values behind its own: they may be anything.
        var own = head
        let seen = (rows.end + row * rows.step) * dimension
        for index in seen..<own.values.count { own.values[index] = 0x7fc0 }
        return rows.row(row).attend(queries[row * width..<(row + 1) * width]) {
          kernels.attend_bf16($0, own.keys, own.values, dimension)
        }
      }
      let queries = queries[..<(rows.rows * width)]
      let together = rows.attend(queries) {
        kernels.attend_bf16($0, head.keys, head.values, dimension)
      }
      #expect(bits(together) == bits(alone), "\(rows)")
      #expect(alone.allSatisfy { $0.isFinite })
      let expected = rows.attend(queries.map(roundedToBF16)) {
        kernels.attend($0, head.wideKeys, head.wideValues, dimension)
      }
      // Weights are rounded to 8 bits.
      #expect(relativeError(together, expected.map(Double.init)) < 4e-3)
    }
  }
}
