import CKernels

/// Integer weights packed for the C kernels.
struct QuantizedPanels {
  let rows: Int
  let columns: Int
  let bits: Int
  /// What the integers stand for, `[rows][columns]`.
  private(set) var weights: [Float] = []
  private var panels: [UInt8] = []

  init(_ w: [Float], rows: Int, columns: Int, bits: Int) {
    self.rows = rows
    self.columns = columns
    self.bits = bits
    let groups = (columns + 31) / 32
    let bytes = ck_quantized_panel_bytes(Int32(bits), columns)
    for row in stride(from: 0, to: rows, by: 16) {
      let count = min(16, rows - row)
      var q = [Int8](repeating: 99, count: 16 * columns)
      var scales = [UInt16](repeating: 0x3c00, count: 16 * groups)
      var values = [Float](repeating: .nan, count: columns)
      for index in 0..<count {
        let source = Array(w[(row + index) * columns..<(row + index + 1) * columns])
        var rowValues = [Int8](repeating: 0, count: columns)
        var rowScales = [UInt16](repeating: 0, count: groups)
        ck_quantize_row(Int32(bits), source, columns, &rowValues, &rowScales)
        q.replaceSubrange(index * columns..<(index + 1) * columns, with: rowValues)
        scales.replaceSubrange(index * groups..<(index + 1) * groups, with: rowScales)
        ck_widen_int8(rowValues, rowScales, columns, &values)
        weights += values
      }
      var panel = [UInt8](repeating: 0xff, count: bytes)
      ck_pack_quantized(Int32(bits), q, scales, count, columns, &panel)
      panels += panel
    }
  }

  /// One row as the panels hold it.
  func unpacked(_ row: Int) -> [Float] {
    let bytes = ck_quantized_panel_bytes(Int32(bits), columns)
    var values = [Float](repeating: .nan, count: columns)
    Array(panels[row / 16 * bytes..<(row / 16 + 1) * bytes]).withUnsafeBufferPointer {
      guard let base = $0.baseAddress else { return }
      ck_unpack_quantized(Int32(bits), base, row % 16, columns, &values)
    }
    return values
  }

  /// The product with `count` rows, in two calls over parts of the panels.
  func multiply(
    _ kernels: ck_quantized_kernels, _ x: [Float], count: Int, into old: [Float]? = nil,
    bias: [Float]? = nil, accumulate: Bool = false
  ) -> [Float] {
    let bytes = ck_quantized_row_bytes(columns)
    var quantized = [UInt8](repeating: 0xff, count: count * bytes)
    for row in 0..<count {
      // In two parts, as workers divide rows.
      let half = columns / 2 / 32 * 32
      for part in [0..<half, half..<columns] {
        let values = Array(x[row * columns + part.lowerBound..<row * columns + part.upperBound])
        quantized.withUnsafeMutableBufferPointer { rows in
          guard let base = rows.baseAddress else { return }
          kernels.quantize(
            Int32(bits), values, part.lowerBound, part.count, columns, base + row * bytes)
        }
      }
    }
    var y = old ?? [Float](repeating: 0, count: count * rows)
    let panelCount = (rows + 15) / 16
    func run(_ bias: UnsafePointer<Float>?) {
      let end = ck_epilogue(
        bias: bias, accumulate: accumulate ? 1 : 0, next: (ck_range(), ck_range()))
      let product = bits == 8 ? kernels.linear_int8 : kernels.linear_int4
      for (start, stop) in [(0, panelCount / 3), (panelCount / 3, panelCount)] {
        product?(panels, quantized, &y, rows, count, start, stop, rows, columns, end)
      }
    }
    if let bias { bias.withUnsafeBufferPointer { run($0.baseAddress) } } else { run(nil) }
    return y
  }
}
