import Files
import Glibc

/// Rows of activations that products take: in f32, and as the formats of the products want them, rounded to
/// bf16 or quantised.
///
/// Whoever writes values prepares them while they are in its cache; every product and every worker then
/// reads fewer bytes, and none prepares them again.
package final class ActivationRows: @unchecked Sendable {
  // Unchecked: workers divide rows and columns among themselves.

  /// The values, `[maximumRows][width]`.
  package let values: FloatBuffer

  package let width: Int

  /// One a way that the formats want rows. No arrays or classes: workers that share an object's
  /// reference count wait for each other.
  private let prepared: UnsafeMutableBufferPointer<PreparedRows>

  /// Makes room, all zero.
  ///
  /// - Parameters:
  ///   - formats: Those of the matrices that the rows are multiplied with. Others may be, and prepare the
  ///     rows themselves.
  ///   - piece: What `finish` is called with begins and ends at multiples of so many columns, or with the
  ///     row; nil for whole rows. Rows whose pieces cut groups of quantised values aren't quantised.
  package init(maximumRows: Int, width: Int, formats: Set<WeightFormat>, piece: Int? = nil) {
    self.width = width
    values = FloatBuffer(count: maximumRows * width)
    let codings = WeightFormat.named.filter(formats.contains).compactMap { format in
      format.coding.activations.flatMap { coding in
        (piece ?? width) == width || (piece ?? width).isMultiple(of: coding.group) ? coding : nil
      }
    }
    var distinct: [any ActivationCoding.Type] = []
    for coding in codings where !distinct.contains(where: { $0 == coding }) {
      distinct.append(coding)
    }
    prepared = .allocate(capacity: distinct.count)
    for (index, coding) in distinct.enumerated() {
      prepared.initializeElement(
        at: index, to: PreparedRows(coding, count: maximumRows, width: width))
    }
  }

  deinit {
    for rows in prepared { free(rows.base) }
    prepared.deallocate()
  }

  /// The first value of a row.
  package func row(_ row: Int) -> UnsafeMutablePointer<Float> { values.base + row * width }

  /// Makes columns of a row ready for products; called after they are written.
  package func finish(row: Int, columns: Range<Int>) {
    let values = self.row(row) + columns.lowerBound
    for rows in prepared where rows.coding.isUsed(columns: width) {
      rows.coding.prepare(values, columns, width: width, into: rows.base + row * rows.bytes)
    }
  }

  /// Makes a row what a finished one of others is.
  func copy(row: Int, from other: ActivationRows, row source: Int) {
    self.row(row).update(from: other.row(source), count: width)
    for rows in prepared where rows.coding.isUsed(columns: width) {
      if let theirs = other.prepared.first(where: { $0.coding == rows.coding }) {
        (rows.base + row * rows.bytes).copyMemory(
          from: theirs.base + source * rows.bytes, byteCount: rows.bytes)
      } else {
        rows.coding.prepare(
          self.row(row), 0..<width, width: width, into: rows.base + row * rows.bytes)
      }
    }
  }

  /// The rows from one on as products of a format take them: as their maker prepared them, or in f32 where
  /// those products take that, or nobody prepared them.
  func rows(for format: WeightFormat, from first: Int) -> ProductRows {
    if let coding = format.coding.activations, coding.isUsed(columns: width) {
      for rows in prepared where rows.coding == coding {
        return .prepared(rows.base + first * rows.bytes)
      }
    }
    return .values(row(first), stride: width)
  }

  /// Memory for prepared rows.
  private struct PreparedRows {
    let coding: any ActivationCoding.Type
    let base: UnsafeMutableRawPointer
    let bytes: Int

    init(_ coding: any ActivationCoding.Type, count: Int, width: Int) {
      self.coding = coding
      bytes = coding.rowBytes(preparedColumns: width)
      base = Memory.zerosOrExit(Memory.size(count, of: bytes), for: "rows of a pass")
    }
  }
}
