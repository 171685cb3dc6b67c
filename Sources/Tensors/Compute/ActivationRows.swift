internal import CKernels

/// Rows of activations that products take: in f32, and as the formats of the products want them, rounded to
/// bf16 or quantised.
///
/// Whoever writes values prepares them while they are in its cache; every product and every worker then
/// reads fewer bytes, and none prepares them again.
public final class ActivationRows: @unchecked Sendable {
  // Unchecked: workers divide rows and columns among themselves.

  /// The values, `[maximumRows][width]`.
  public let values: FloatBuffer

  /// Columns.
  public let width: Int

  private let rounded: Rows  // bf16, [maximumRows][width, even]
  private let int8: Rows  // for 8-bit weights, [maximumRows][ck_quantized_row_bytes(width)]
  private let int4: Rows  // for 4-bit weights

  /// Makes room, all zero.
  ///
  /// - Parameters:
  ///   - formats: Those of the matrices that the rows are multiplied with. Others may be, and prepare the
  ///     rows themselves.
  ///   - piece: What `finish` is called with begins and ends at multiples of so many columns, or with the
  ///     row; nil for whole rows. Rows whose pieces cut groups of quantised values aren't quantised.
  public init(maximumRows: Int, width: Int, formats: Set<WeightFormat>, piece: Int? = nil) {
    self.width = width
    values = FloatBuffer(count: maximumRows * width)
    let whole = (piece ?? width) == width || (piece ?? width).isMultiple(of: WeightFormat.groupSize)
    func rows(_ format: WeightFormat, bytes: Int, wanted: Bool = true) -> Rows {
      Rows(count: wanted && formats.contains(format) ? maximumRows : 0, bytes: bytes)
    }
    rounded = rows(.bf16, bytes: (width + 1) / 2 * 4)
    int8 = rows(.int8, bytes: ck_quantized_row_bytes(width), wanted: whole)
    int4 = rows(.int4, bytes: ck_quantized_row_bytes(width), wanted: whole)
  }

  deinit {
    for rows in [rounded, int8, int4] { rows.base?.deallocate() }
  }

  /// The first value of a row.
  public func row(_ row: Int) -> UnsafeMutablePointer<Float> { values.base + row * width }

  /// Makes columns of a row ready for products; called after they are written.
  public func finish(row: Int, columns: Range<Int>) {
    let values = self.row(row) + columns.lowerBound
    if let rounded = rounded.row(row), ck_takes_rounded(width) != 0 {
      ck_round_rows(
        values, rounded.assumingMemoryBound(to: UInt16.self) + columns.lowerBound, columns.count)
    }
    if let int8 = int8.row(row) { quantize(values, columns, bits: 8, into: int8) }
    if let int4 = int4.row(row) { quantize(values, columns, bits: 4, into: int4) }
  }

  private func quantize(
    _ values: UnsafePointer<Float>, _ columns: Range<Int>, bits: Int32,
    into row: UnsafeMutableRawPointer
  ) {
    ck_quantize_activations(
      bits, values, columns.lowerBound, columns.count, width,
      row.assumingMemoryBound(to: UInt8.self))
  }

  /// The rows as products of a format take them; nil if those take f32, or nobody prepared them.
  func prepared(for format: WeightFormat) -> UnsafeRawPointer? {
    switch format {
    case .f32: nil
    case .bf16: ck_takes_rounded(width) != 0 ? UnsafeRawPointer(rounded.base) : nil
    case .int8: UnsafeRawPointer(int8.base)
    case .int4: UnsafeRawPointer(int4.base)
    }
  }

  /// Memory for prepared rows. No class: workers that share an object's reference count wait for
  /// each other.
  private struct Rows {
    let base: UnsafeMutableRawPointer?  // nil where nobody reads them
    private let bytes: Int

    init(count: Int, bytes: Int) {
      self.bytes = bytes
      guard count > 0 else {
        base = nil
        return
      }
      let memory = UnsafeMutableRawPointer.allocate(byteCount: count * bytes, alignment: 64)
      memory.initializeMemory(as: UInt8.self, repeating: 0, count: count * bytes)
      base = memory
    }

    func row(_ row: Int) -> UnsafeMutableRawPointer? { base.map { $0 + row * bytes } }
  }
}
