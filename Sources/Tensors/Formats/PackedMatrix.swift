internal import CKernels
import Files
import Glibc

/// A weight matrix `[rows][columns]`, packed so that a product's sums never cross vector lanes.
///
/// Sixteen rows are interleaved into a panel; the last panel is filled up with zeros. Products are
/// row-invariant: an output row depends on its own input row only, whatever the number of rows.
/// Immutable once made. Not for training, whose weights change.
package final class PackedMatrix: @unchecked Sendable {
  // Unchecked: the storage is written in `init` only.
  private let storage: UnsafeMutableRawPointer

  package let rows: Int
  package let columns: Int
  package let format: WeightFormat
  /// How many panels of sixteen rows there are.
  package let panelCount: Int

  /// Bytes that one product reads.
  package var byteCount: Int { panelCount * panelBytes }
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
  package convenience init(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, format: WeightFormat
  ) {
    self.init(rows: rows, columns: columns, format: format)
    for panel in 0..<panelCount {
      format.coding.pack(
        values, rows: rows, columns: columns, first: panel * Self.panelRows,
        into: storage + panel * panelBytes)
    }
  }

  /// Takes a matrix that is stored in a format already.
  ///
  /// - Throws: `SpeculateError` when it can't be read.
  convenience init(
    _ stored: any StoredMatrix, rows: Int, columns: Int, format: WeightFormat
  ) throws {
    self.init(rows: rows, columns: columns, format: format)
    try stored.pack(into: storage)
  }

  /// Takes the memory; the panels are still to be written.
  private init(rows: Int, columns: Int, format: WeightFormat) {
    precondition(rows > 0 && columns > 0, "a matrix needs rows and columns")
    precondition(format.complaint(columns: columns) == nil, "more columns than the format has")
    self.rows = rows
    self.columns = columns
    self.format = format
    panelCount = (rows + Self.panelRows - 1) / Self.panelRows
    panelBytes = format.coding.panelBytes(columns: columns)
    storage = Memory.takeOrExit(Memory.size(panelCount, of: panelBytes), for: "weights")
  }

  /// Packs a matrix out of a buffer, which is kept alive meanwhile.
  ///
  /// - Parameters:
  ///   - values: `[rows][columns]`.
  package convenience init(_ values: FloatBuffer, rows: Int, columns: Int, format: WeightFormat) {
    precondition(values.count == rows * columns, "the buffer must hold exactly the matrix")
    self.init(values.base, rows: rows, columns: columns, format: format)
    withExtendedLifetime(values) {}
  }

  deinit { free(storage) }

  /// `y[m][r] (+)= Σ_c w[r][c] · x[m][c] (+ bias[r])` for the rows of some panels.
  ///
  /// Called inside a region, each worker with its own panels.
  /// - Parameters:
  ///   - x: `[count][xStride]`.
  ///   - y: `[count][yStride]`.
  ///   - panels: Which panels to compute; panel `p` holds rows `16·p ..< 16·(p+1)`.
  ///   - bias: `[rows]`.
  ///   - accumulates: Whether the product is added to `y`: a residual.
  package func multiply(
    _ x: UnsafePointer<Float>, stride xStride: Int, into y: UnsafeMutablePointer<Float>,
    stride yStride: Int, count: Int, panels: Range<Int>, bias: UnsafePointer<Float>? = nil,
    accumulates: Bool = false
  ) {
    multiply(
      .values(x, stride: xStride), into: y, stride: yStride, count: count, panels: panels,
      bias: bias, accumulates: accumulates)
  }

  /// The same product of rows that their maker has prepared for the format: to the bit what f32 gives.
  ///
  /// - Parameters:
  ///   - x: Rows as wide as the matrix has columns.
  ///   - first: The first row of `x` to take.
  package func multiply(
    _ x: ActivationRows, from first: Int = 0, into y: UnsafeMutablePointer<Float>, stride: Int,
    count: Int, panels: Range<Int>, bias: UnsafePointer<Float>? = nil, accumulates: Bool = false
  ) {
    multiply(
      x, from: first, into: y, stride: stride, count: count, panels: panels, bias: bias,
      accumulates: accumulates, next: (ck_range(), ck_range()))
  }

  /// The same, and meanwhile perhaps fetches what the thread reads afterwards.
  func multiply(
    _ x: ActivationRows, from first: Int = 0, into y: UnsafeMutablePointer<Float>, stride: Int,
    count: Int, panels: Range<Int>, bias: UnsafePointer<Float>?, accumulates: Bool,
    next: (ck_range, ck_range)
  ) {
    precondition(x.width == columns, "rows and columns differ")
    let rows = x.rows(for: format, from: first)
    let isPrepared = if case .prepared = rows { true } else { false }
    multiply(
      rows, into: y, stride: stride, count: count, panels: panels, bias: bias,
      accumulates: accumulates, next: isPrepared ? next : (ck_range(), ck_range()))
  }

  private func multiply(
    _ x: ProductRows, into y: UnsafeMutablePointer<Float>, stride: Int, count: Int,
    panels: Range<Int>, bias: UnsafePointer<Float>?, accumulates: Bool,
    next: (ck_range, ck_range) = (ck_range(), ck_range())
  ) {
    format.coding.multiply(
      x,
      PanelProduct(
        storage: storage, rows: rows, columns: columns, panels: panels, count: count, y: y,
        stride: stride, end: ck_epilogue(bias: bias, accumulate: accumulates ? 1 : 0, next: next)))
  }

  /// The weights of some panels, as a product reads them: what can be fetched before.
  func bytes(of panels: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: storage + panels.lowerBound * panelBytes, count: panels.count * panelBytes)
  }

  /// Reads every weight once and does nothing else: what a product's memory traffic alone costs.
  package func read(worker: Int, of count: Int) -> Float {
    let words = (0..<byteCount / 4).share(of: worker, among: count)
    return Kernels.readSum(
      storage.assumingMemoryBound(to: Float.self) + words.lowerBound, count: words.count)
  }

  /// Writes one row, widened to f32, to `values` `[columns]`.
  ///
  /// - Complexity: O(columns), with a stride; for set-up, not for decoding.
  package func copyRow(_ row: Int, to values: UnsafeMutablePointer<Float>) {
    precondition(row >= 0 && row < rows, "no such row")
    let (panel, lane) = row.quotientAndRemainder(dividingBy: Self.panelRows)
    format.coding.unpack(storage + panel * panelBytes, lane: lane, columns: columns, to: values)
  }

  /// A matrix of some of the rows, in the order given: a head over a draft vocabulary.
  package func selecting(rows selected: [Int], format: WeightFormat? = nil) -> PackedMatrix {
    let values = FloatBuffer(count: selected.count * columns)
    for (index, row) in selected.enumerated() { copyRow(row, to: values.base + index * columns) }
    return PackedMatrix(
      values.base, rows: selected.count, columns: columns, format: format ?? self.format)
  }
}
