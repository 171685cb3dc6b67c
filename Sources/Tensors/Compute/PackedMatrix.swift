internal import CKernels

/// A weight matrix `[rows][columns]`, packed so that a product's sums never cross vector lanes.
///
/// Sixteen rows are interleaved into a panel; the last panel is filled up with zeros. Products are
/// row-invariant: an output row depends on its own input row only, whatever the number of rows.
/// Immutable once made. Not for training, whose weights change.
public final class PackedMatrix: @unchecked Sendable {
  // Unchecked: the storage is written in `init` only.
  private let storage: UnsafeMutableRawPointer

  /// Output features.
  public let rows: Int
  /// Input features.
  public let columns: Int
  /// How the weights are held.
  public let format: WeightFormat
  /// How many panels of sixteen rows there are.
  public let panelCount: Int

  /// Bytes that one product reads.
  public var byteCount: Int { panelCount * panelBytes }
  private let panelBytes: Int

  private static let panelRows = Int(CK_PANEL)

  /// The rows of some panels.
  package func rows(of panels: Range<Int>) -> Range<Int> {
    panels.lowerBound * Self.panelRows..<min(panels.upperBound * Self.panelRows, rows)
  }

  /// Packs f32 weights, rounding to nearest even for bf16 and to scaled integers for int8 and int4.
  ///
  /// - Parameter values: `[rows][columns]`.
  /// - Complexity: O(rows · columns).
  public convenience init(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, format: WeightFormat
  ) {
    self.init(rows: rows, columns: columns, format: format)
    let quantized = format.integerBits.map {
      QuantizedRows(rows: Self.panelRows, columns: columns, bits: $0)
    }
    for panel in 0..<panelCount {
      let target = storage + panel * panelBytes
      let row = panel * Self.panelRows
      switch format {
      case .f32:
        ck_pack_f32(
          values, columns, rows, columns, row, target.assumingMemoryBound(to: Float.self))
      case .bf16:
        ck_pack_bf16(
          values, columns, rows, columns, row, target.assumingMemoryBound(to: UInt16.self))
      case .int8, .int4:
        let count = min(Self.panelRows, rows - row)
        quantized?.quantize(values + row * columns, count: count)
        quantized?.pack(count: count, into: target)
      }
    }
  }

  /// Packs rows that are quantised already.
  ///
  /// - Parameter fill: Writes the rows of a panel to the first places of the buffer, sixteen rows
  ///   long; called once a panel, in order.
  /// - Throws: What `fill` throws.
  package convenience init(
    quantizedRows rows: Int, columns: Int, format: WeightFormat,
    fill: (_ panelRows: Range<Int>, QuantizedRows) throws -> Void
  ) rethrows {
    guard let bits = format.integerBits else {
      preconditionFailure("\(format) is no integer format")
    }
    self.init(rows: rows, columns: columns, format: format)
    let buffer = QuantizedRows(rows: Self.panelRows, columns: columns, bits: bits)
    for panel in 0..<panelCount {
      let start = panel * Self.panelRows
      let range = start..<min(start + Self.panelRows, rows)
      try fill(range, buffer)
      buffer.pack(count: range.count, into: storage + panel * panelBytes)
    }
  }

  /// Takes the memory; the panels are still to be written.
  private init(rows: Int, columns: Int, format: WeightFormat) {
    precondition(rows > 0 && columns > 0, "a matrix needs rows and columns")
    precondition(
      format.integerBits == nil || columns <= WeightFormat.integerColumnLimit,
      "more columns than an integer format has")
    self.rows = rows
    self.columns = columns
    self.format = format
    panelCount = (rows + Self.panelRows - 1) / Self.panelRows
    panelBytes = format.panelBytes(columns: columns)
    storage = .allocate(byteCount: panelCount * panelBytes, alignment: 64)
  }

  /// Packs a matrix out of a buffer, which is kept alive meanwhile.
  ///
  /// - Parameters:
  ///   - values: `[rows][columns]`.
  public convenience init(_ values: FloatBuffer, rows: Int, columns: Int, format: WeightFormat) {
    precondition(values.count == rows * columns, "the buffer must hold exactly the matrix")
    self.init(values.base, rows: rows, columns: columns, format: format)
    withExtendedLifetime(values) {}
  }

  deinit { storage.deallocate() }

  /// `y[m][r] (+)= Σ_c w[r][c] · x[m][c] (+ bias[r])` for the rows of some panels.
  ///
  /// Called inside a region, each worker with its own panels.
  /// - Parameters:
  ///   - x: `[count][xStride]`.
  ///   - y: `[count][yStride]`.
  ///   - panels: Which panels to compute; panel `p` holds rows `16·p ..< 16·(p+1)`.
  ///   - bias: `[rows]`.
  ///   - accumulates: Whether the product is added to `y`: a residual.
  public func multiply(
    _ x: UnsafePointer<Float>, stride xStride: Int, into y: UnsafeMutablePointer<Float>,
    stride yStride: Int, count: Int, panels: Range<Int>, bias: UnsafePointer<Float>? = nil,
    accumulates: Bool = false
  ) {
    let end = ck_epilogue(
      bias: bias, accumulate: accumulates ? 1 : 0, next: (ck_range(), ck_range()))
    switch format {
    case .f32:
      ck_linear_f32(
        storage.assumingMemoryBound(to: Float.self), x, xStride, y, yStride, count,
        panels.lowerBound, panels.upperBound, rows, columns, end)
    case .bf16:
      ck_linear_bf16(
        storage.assumingMemoryBound(to: UInt16.self), x, xStride, y, yStride, count,
        panels.lowerBound, panels.upperBound, rows, columns, end)
    case .int8, .int4:
      ck_linear_integers(
        format == .int8 ? 8 : 4, storage.assumingMemoryBound(to: UInt8.self), x, xStride, y,
        yStride, count, panels.lowerBound, panels.upperBound, rows, columns, end)
    }
  }

  /// The same product of rows that their maker has prepared for the format: to the bit what f32 gives.
  ///
  /// - Parameter x: At least `count` rows as wide as the matrix has columns.
  public func multiply(
    _ x: ActivationRows, into y: UnsafeMutablePointer<Float>, stride yStride: Int, count: Int,
    panels: Range<Int>, bias: UnsafePointer<Float>? = nil, accumulates: Bool = false
  ) {
    multiply(
      x, into: y, stride: yStride, count: count, panels: panels, bias: bias,
      accumulates: accumulates, next: (ck_range(), ck_range()))
  }

  /// The same, and meanwhile perhaps fetches what the thread reads afterwards.
  func multiply(
    _ x: ActivationRows, into y: UnsafeMutablePointer<Float>, stride yStride: Int, count: Int,
    panels: Range<Int>, bias: UnsafePointer<Float>?, accumulates: Bool, next: (ck_range, ck_range)
  ) {
    precondition(x.width == columns, "rows and columns differ")
    let end = ck_epilogue(bias: bias, accumulate: accumulates ? 1 : 0, next: next)
    guard let prepared = x.prepared(for: format) else {
      multiply(
        x.values.base, stride: columns, into: y, stride: yStride, count: count, panels: panels,
        bias: bias, accumulates: accumulates)
      return
    }
    switch format {
    case .f32: preconditionFailure("f32 takes rows as they are")
    case .bf16:
      ck_linear_rounded(
        storage.assumingMemoryBound(to: UInt16.self),
        prepared.assumingMemoryBound(to: UInt16.self), y, yStride, count, panels.lowerBound,
        panels.upperBound, rows, columns, end)
    case .int8, .int4:
      ck_linear_quantized(
        format == .int8 ? 8 : 4, storage.assumingMemoryBound(to: UInt8.self),
        prepared.assumingMemoryBound(to: UInt8.self), y, yStride, count, panels.lowerBound,
        panels.upperBound, rows, columns, end)
    }
  }

  /// The weights of some panels, as a product reads them: what can be fetched before.
  func bytes(of panels: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: storage + panels.lowerBound * panelBytes, count: panels.count * panelBytes)
  }

  /// Reads every weight once and does nothing else: what a product's memory traffic alone costs.
  public func read(worker: Int, of count: Int) -> Float {
    let words = (0..<byteCount / 4).share(of: worker, among: count)
    return Kernels.readSum(
      storage.assumingMemoryBound(to: Float.self) + words.lowerBound, count: words.count)
  }

  /// Writes one row, widened to f32, to `values` `[columns]`.
  ///
  /// - Complexity: O(columns), with a stride; for set-up, not for decoding.
  public func copyRow(_ row: Int, to values: UnsafeMutablePointer<Float>) {
    precondition(row >= 0 && row < rows, "no such row")
    let (panel, lane) = row.quotientAndRemainder(dividingBy: Self.panelRows)
    let base = storage + panel * panelBytes
    if let bits = format.integerBits {
      ck_unpack_quantized(
        Int32(bits), base.assumingMemoryBound(to: UInt8.self), lane, columns, values)
      return
    }
    for column in 0..<columns {
      switch format {
      case .f32:
        values[column] =
          base.assumingMemoryBound(to: Float.self)[column * Self.panelRows + lane]
      case .bf16:
        let pair = column / 2 * Self.panelRows + lane
        let bits = base.assumingMemoryBound(to: UInt16.self)[pair * 2 + column % 2]
        values[column] = Float(bitPattern: UInt32(bits) << 16)
      case .int8, .int4: preconditionFailure("integers were unpacked above")
      }
    }
  }

  /// A matrix of some of the rows, in the order given: a head over a draft vocabulary.
  public func selecting(rows selected: [Int], format: WeightFormat? = nil) -> PackedMatrix {
    let values = FloatBuffer(count: selected.count * columns)
    for (index, row) in selected.enumerated() {
      copyRow(row, to: values.base + index * columns)
    }
    return PackedMatrix(
      values.base, rows: selected.count, columns: columns, format: format ?? self.format)
  }
}
