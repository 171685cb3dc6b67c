import CKernels

/// A matrix of blocks packed for the C kernels.
struct BlockPanels {
  let type: ck_block_type
  let rows: Int
  let columns: Int
  /// What the blocks stand for, `[rows][columns]`.
  private(set) var weights: [Float] = []
  private(set) var panels: [UInt8] = []

  private typealias Product =
    @convention(c) (
      UnsafePointer<UInt8>?, UnsafePointer<UInt8>?, UnsafeMutablePointer<Float>?, Int, Int, Int,
      Int,
      Int, Int, ck_epilogue
    ) -> Void
  private typealias FloatProduct =
    @convention(c) (
      UnsafePointer<UInt8>?, UnsafePointer<Float>?, Int, UnsafeMutablePointer<Float>?, Int, Int,
      Int,
      Int, Int, Int, ck_epilogue
    ) -> Void

  init(_ blocks: [UInt8], type: ck_block_type, rows: Int, columns: Int) {
    self.type = type
    self.rows = rows
    self.columns = columns
    let stride = ck_block_row_bytes(type, columns)
    var values = [Float](repeating: .nan, count: columns)
    for row in 0..<rows {
      ck_widen_blocks(type, Array(blocks[row * stride..<(row + 1) * stride]), columns, &values)
      weights += values
    }
    for first in Swift.stride(from: 0, to: rows, by: 16) {
      let count = min(16, rows - first)
      var panel = [UInt8](repeating: 0xff, count: ck_block_panel_bytes(type, columns))
      ck_pack_blocks(
        type, Array(blocks[first * stride..<(first + count) * stride]), stride, count, columns,
        &panel)
      panels += panel
    }
  }

  /// The blocks of one row as the panels hold it.
  func unpacked(_ row: Int) -> [UInt8] {
    let bytes = ck_block_panel_bytes(type, columns)
    var blocks = [UInt8](repeating: 0xff, count: ck_block_row_bytes(type, columns))
    ck_unpack_blocks(
      type, Array(panels[row / 16 * bytes..<(row / 16 + 1) * bytes]), row % 16, columns, &blocks)
    return blocks
  }

  /// The product with `count` rows, in two calls over parts of the panels.
  func multiply(
    _ kernels: ck_block_kernels, _ x: [Float], count: Int, into old: [Float]? = nil,
    bias: [Float]? = nil
  ) -> [Float] {
    let bytes = ck_block_activation_bytes(columns)
    var quantized = [UInt8](repeating: 0xff, count: count * bytes)
    for row in 0..<count {
      // In two parts, as workers divide rows.
      let half = columns / 2 / 32 * 32
      for part in [0..<half, half..<columns] {
        let values = Array(x[row * columns + part.lowerBound..<row * columns + part.upperBound])
        quantized.withUnsafeMutableBufferPointer { rows in
          guard let base = rows.baseAddress else { return }
          kernels.quantize(values, part.lowerBound, part.count, base + row * bytes)
        }
      }
    }
    let product = withUnsafeBytes(of: kernels.linear) {
      $0.load(fromByteOffset: Int(ck_block_form(type)) * 8, as: Product.self)
    }
    return inParts(count, into: old, bias: bias) { y, start, stop, end in
      product(panels, quantized, y, rows, count, start, stop, rows, columns, end)
    }
  }

  /// The product with activations that aren't quantised.
  func multiplyFloats(
    _ kernels: ck_block_kernels, _ x: [Float], count: Int, into old: [Float]? = nil,
    bias: [Float]? = nil
  ) -> [Float] {
    let product = withUnsafeBytes(of: kernels.linear_f32) {
      $0.load(fromByteOffset: Int(ck_block_form(type)) * 8, as: FloatProduct.self)
    }
    return inParts(count, into: old, bias: bias) { y, start, stop, end in
      product(panels, x, columns, y, rows, count, start, stop, rows, columns, end)
    }
  }

  private func inParts(
    _ count: Int, into old: [Float]?, bias: [Float]?,
    _ multiply: (UnsafeMutablePointer<Float>, Int, Int, ck_epilogue) -> Void
  ) -> [Float] {
    var y = old ?? [Float](repeating: 0, count: count * rows)
    let panelCount = (rows + 15) / 16
    func run(_ bias: UnsafePointer<Float>?) {
      let end = ck_epilogue(
        bias: bias, accumulate: old == nil ? 0 : 1, next: (ck_range(), ck_range()))
      for (start, stop) in [(0, panelCount / 3), (panelCount / 3, panelCount)] {
        multiply(&y, start, stop, end)
      }
    }
    if let bias { bias.withUnsafeBufferPointer { run($0.baseAddress) } } else { run(nil) }
    return y
  }
}
