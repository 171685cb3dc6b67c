import CKernels
import Testing
import Training

/// Every build of the products against products in f64: all layouts, odd sizes, strides, accumulation.
@Suite struct MatrixProductTests {
  enum Layout: CaseIterable { case timesTransposed, times, transposedTimes }

  /// A product with its factors, and a result whose rows have room behind them.
  final class Case {
    let (rows, columns, inner): (Int, Int, Int)
    let layout: Layout
    let accumulates: Bool
    var a: [Float]
    var b: [Float]
    let before: [Float]
    let aStrides: (row: Int, inner: Int)
    let bStrides: (inner: Int, column: Int)
    let stride: Int

    init(_ sizes: [Int], _ layout: Layout, accumulates: Bool = false, seed: UInt64 = 1) {
      (rows, columns, inner) = (sizes[0], sizes[1], sizes[2])
      (self.layout, self.accumulates) = (layout, accumulates)
      var random = KeyedRandom(seed: seed, key: "\(sizes) \(layout)")
      let slack = Int(random.next() % 5)
      func values(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float(random.uniform() - 0.5) }
      }
      aStrides = layout == .transposedTimes ? (1, rows + slack) : (inner + slack, 1)
      bStrides = layout == .timesTransposed ? (1, inner + slack) : (columns + slack, 1)
      stride = columns + Int(random.next() % 20)
      // No value more than is needed: reading past the end would be found by a sanitizer.
      a = values(max(1, (rows - 1) * aStrides.row + max(0, inner - 1) * aStrides.inner + 1))
      b = values(max(1, max(0, inner - 1) * bStrides.inner + (columns - 1) * bStrides.column + 1))
      before = values(rows * stride)
    }

    func run(_ multiply: (inout ct_product) -> Void) -> [Float] {
      var c = before
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          c.withUnsafeMutableBufferPointer { c in
            var product = ct_product(
              rows: rows, columns: columns, inner: inner, a: a.baseAddress, a_row: aStrides.row,
              a_inner: aStrides.inner, b: b.baseAddress, b_inner: bStrides.inner,
              b_column: bStrides.column, c: c.baseAddress, c_row: stride,
              accumulate: accumulates ? 1 : 0)
            multiply(&product)
          }
        }
      }
      return c
    }

    /// The greatest error of a result as a multiple of Σ|a||b| (and of what was there before); infinite
    /// where something behind a row was touched.
    func error(of c: [Float], rounded: Bool) -> Double {
      let a = rounded ? a.map(Self.bf16) : a
      let b = rounded ? b.map(Self.bf16) : b
      var worst = 0.0
      for i in 0..<rows {
        for j in 0..<stride {
          let place = i * stride + j
          guard j < columns else {
            if c[place] != before[place] { return .infinity }
            continue
          }
          var (sum, size) = (accumulates ? Double(before[place]) : 0, 1e-30)
          size += abs(sum)
          for p in 0..<inner {
            let term =
              Double(a[i * aStrides.row + p * aStrides.inner])
              * Double(b[p * bStrides.inner + j * bStrides.column])
            sum += term
            size += abs(term)
          }
          let error = abs(Double(c[place]) - sum) / size
          if !(error <= worst) { worst = error }
        }
      }
      return worst
    }

    /// The nearest bf16 value, ties to even.
    static func bf16(_ x: Float) -> Float {
      let bits = x.bitPattern
      return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
    }
  }

  /// The builds that this machine has.
  static let builds = (0..<Int32(CT_PRODUCT_BUILDS)).filter { ct_product_build($0) != nil }

  private func result(of example: Case, _ build: Int32, rounded: Bool) throws -> [Float] {
    let kernels = try #require(ct_product_build(build)).pointee
    // What panels held before must not matter, not even NaN.
    var panels = [UInt32](repeating: 0xffff_ffff, count: CT_PANEL_WORDS)
    return example.run { (rounded ? kernels.bf16 : kernels.f32)(&$0, &panels) }
  }

  private func expectRight(_ example: Case, _ build: Int32) throws {
    // One rounding for each product and each sum, of 2⁻²⁴, and one of each factor to 8 bits, of 2⁻⁸.
    let sums = Double(example.inner + 2) * 0x1p-23
    for rounded in [false, true] {
      let c = try result(of: example, build, rounded: rounded)
      let sizes = "\(example.rows) × \(example.columns) × \(example.inner) \(example.layout)"
      #expect(
        example.error(of: c, rounded: rounded) <= sums, "build \(build), \(sizes), \(rounded)")
      if rounded {
        #expect(example.error(of: c, rounded: false) <= sums + 2.01 * 0x1p-8, "\(build) \(sizes)")
      }
    }
  }

  @Test(arguments: builds, Layout.allCases)
  func sizesAtTheEdgesOfTilesAndBlocks(build: Int32, layout: Layout) throws {
    let sizes = [
      [1, 1, 1], [1, 1, 2], [14, 32, 64], [15, 33, 65], [13, 31, 511], [28, 64, 513],
      [7, 16, 15], [2, 17, 16], [6, 15, 17], [8, 8, 64], [128, 64, 33], [3, 5, 0],
      // More rows, columns and depth than one block holds.
      [1090, 9, 30], [5, 4230, 40], [16, 2090, 600],
    ]
    for size in sizes {
      try expectRight(Case(size, layout), build)
      try expectRight(Case(size, layout, accumulates: true), build)
    }
  }

  @Test(arguments: builds, Layout.allCases)
  func anySize(build: Int32, layout: Layout) throws {
    var random = KeyedRandom(seed: 9, key: "sizes \(layout)")
    for seed in 0..<40 {
      let size = [90, 90, 300].map { 1 + Int(random.next() % $0) }
      try expectRight(
        Case(size, layout, accumulates: seed % 2 == 1, seed: UInt64(seed)), build)
    }
  }

  /// Threads beside a product don't change it, nor does what was multiplied before.
  @Test func everyRunGivesTheSameBits() async throws {
    let example = Case([150, 200, 700], .times)
    let reference = example.run { ct_multiply_bf16(&$0) }
    await withTaskGroup(of: Bool.self) { group in
      for seed in 0..<8 {
        group.addTask {
          let other = Case([100 + seed, 77, 90], .timesTransposed)
          _ = other.run { ct_multiply_f32(&$0) }
          let again = Case([150, 200, 700], .times)
          return again.run { ct_multiply_bf16(&$0) } == reference
        }
      }
      for await isSame in group { #expect(isSame) }
    }
  }

  @Test(arguments: builds)
  func infinityAndNaNStay(build: Int32) throws {
    for (value, row) in [(Float.infinity, 3), (.nan, 20), (Float(bitPattern: 0x7fff_ffff), 0)] {
      for layout in Layout.allCases {
        let example = Case([21, 40, 50], layout)
        example.b = example.b.map { abs($0) + 0.01 }
        example.a[row * example.aStrides.row + 7 * example.aStrides.inner] = value
        for rounded in [false, true] {
          let c = try result(of: example, build, rounded: rounded)
          for i in 0..<21 {
            for j in 0..<40 {
              let x = c[i * example.stride + j]
              #expect(i == row ? (value.isNaN ? x.isNaN : x == value) : x.isFinite)
            }
          }
        }
      }
    }
  }

  /// The way that training takes.
  @Test(arguments: ProductPrecision.allCases)
  func theLayoutsOfTraining(precision: ProductPrecision) {
    let product = MatrixProduct(precision)
    #expect(!product.kernels.isEmpty)
    MatrixProduct.useOneThread()
    for layout in Layout.allCases {
      for accumulates in [false, true] {
        let example = Case([37, 50, 90], layout, accumulates: accumulates)
        let c = example.run { p in
          guard let a = p.a, let b = p.b, let c = p.c else { return }
          switch layout {
          case .timesTransposed:
            product.timesTransposed(
              rows: 37, columns: 50, inner: 90, a, p.a_row, b, p.b_column, into: c, p.c_row,
              accumulate: accumulates)
          case .times:
            product.times(
              rows: 37, columns: 50, inner: 90, a, p.a_row, b, p.b_inner, into: c, p.c_row,
              accumulate: accumulates)
          case .transposedTimes:
            product.transposedTimes(
              rows: 37, columns: 50, inner: 90, a, p.a_inner, b, p.b_inner, into: c, p.c_row,
              accumulate: accumulates)
          }
        }
        #expect(example.error(of: c, rounded: precision == .bf16) <= 92 * 0x1p-23)
      }
    }
  }
}
