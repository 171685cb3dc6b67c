import CKernels

/// Weights packed for the C kernels.
struct Panels {
  let rows: Int
  let columns: Int
  private var f32: [Float] = []
  private var bf16: [UInt16] = []

  init(_ w: [Float], rows: Int, columns: Int, bf16 half: Bool) {
    self.rows = rows
    self.columns = columns
    for row in stride(from: 0, to: rows, by: 16) {
      if half {
        var panel = [UInt16](repeating: 0xffff, count: (columns + 1) / 2 * 32)
        ck_pack_bf16(w, columns, rows, columns, row, &panel)
        bf16 += panel
      } else {
        var panel = [Float](repeating: .nan, count: columns * 16)
        ck_pack_f32(w, columns, rows, columns, row, &panel)
        f32 += panel
      }
    }
  }

  /// The product with `count` rows, in two calls over parts of the panels; `rounded` are rows that
  /// were rounded to bf16 before, instead of `x`.
  func multiply(
    _ kernels: ck_kernels, _ x: [Float], count: Int, into old: [Float]? = nil, bias: [Float]? = nil,
    accumulate: Bool = false, rounded: [UInt16]? = nil
  ) -> [Float] {
    var y = old ?? [Float](repeating: 0, count: count * rows)
    let panels = (rows + 15) / 16
    func run(_ bias: UnsafePointer<Float>?) {
      let end = ck_epilogue(
        bias: bias, accumulate: accumulate ? 1 : 0, next: (ck_range(), ck_range()))
      for (start, stop) in [(0, panels / 3), (panels / 3, panels)] {
        if let rounded {
          kernels.linear_rounded(bf16, rounded, &y, rows, count, start, stop, rows, columns, end)
        } else if f32.isEmpty {
          kernels.linear_bf16(bf16, x, columns, &y, rows, count, start, stop, rows, columns, end)
        } else {
          kernels.linear_f32(f32, x, columns, &y, rows, count, start, stop, rows, columns, end)
        }
      }
    }
    if let bias { bias.withUnsafeBufferPointer { run($0.baseAddress) } } else { run(nil) }
    return y
  }
}

/// The nearest bf16 value.
func roundedToBF16(_ value: Float) -> Float {
  let bits = value.bitPattern
  return Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000)
}
