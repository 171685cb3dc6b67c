internal import CKernels

/// Rows of activations that products take: in f32, and rounded to bf16 where the processor multiplies
/// them so.
///
/// Whoever writes values rounds them while they are in its cache; every product and every worker then
/// reads half the bytes, and none rounds them again.
public final class ActivationRows: @unchecked Sendable {
  // Unchecked: workers divide rows and columns among themselves.

  /// The values, `[maximumRows][width]`.
  public let values: FloatBuffer

  /// Columns.
  public let width: Int

  /// bf16, `[maximumRows][width, even]`.
  let rounded: UnsafeMutablePointer<UInt16>
  private let stride: Int

  /// Makes room, all zero.
  public init(maximumRows: Int, width: Int) {
    self.width = width
    stride = (width + 1) / 2 * 2
    values = FloatBuffer(count: maximumRows * width)
    let bytes = maximumRows * stride * MemoryLayout<UInt16>.stride
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    rounded = memory.bindMemory(to: UInt16.self, capacity: maximumRows * stride)
  }

  deinit { UnsafeMutableRawPointer(rounded).deallocate() }

  /// The first value of a row.
  public func row(_ row: Int) -> UnsafeMutablePointer<Float> { values.base + row * width }

  /// Makes columns of a row ready for products; called after they are written.
  ///
  /// Whether they are rounded depends on the processor and the width alone, so that matrices of
  /// different formats may share the rows.
  public func finish(row: Int, columns: Range<Int>) {
    guard ck_takes_rounded(width) != 0 else { return }
    ck_round_rows(
      self.row(row) + columns.lowerBound, rounded + row * stride + columns.lowerBound,
      columns.count)
  }
}
