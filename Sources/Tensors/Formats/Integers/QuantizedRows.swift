internal import CKernels
import Files
import Glibc

/// Some rows of a matrix as small integers with scales: what files hold and panels are packed from.
///
/// A weight is `scale · q`; 32 columns of a row share a scale (docs/formats.md).
final class QuantizedRows: @unchecked Sendable {
  // Unchecked: written by whoever made it, before it is shared.

  let rows: Int
  let columns: Int
  /// Bits of a weight: 8 or 4.
  let bits: Int
  /// `[rows][columns]`, -127…127 or -8…7, one a byte.
  let values: UnsafeMutablePointer<Int8>
  /// `[rows][groups]`, f16.
  let scales: UnsafeMutablePointer<UInt16>

  /// Groups of a row.
  var groups: Int { Self.groups(of: columns) }

  /// Groups of a row of `columns` weights; the last one may be short.
  static func groups(of columns: Int) -> Int { (columns + Int(CK_GROUP) - 1) / Int(CK_GROUP) }

  /// Makes room for rows, all zero.
  init(rows: Int, columns: Int, bits: Int) {
    precondition(bits == 8 || bits == 4, "integer weights have 8 or 4 bits")
    self.rows = rows
    self.columns = columns
    self.bits = bits
    let groups = Self.groups(of: columns)
    values = Memory.zerosOrExit(Memory.size(rows, of: columns), for: "weights").bindMemory(
      to: Int8.self, capacity: rows * columns)
    scales = Memory.zerosOrExit(Memory.size(rows, of: 2 * groups), for: "weights").bindMemory(
      to: UInt16.self, capacity: rows * groups)
  }

  deinit {
    free(values)
    free(scales)
  }

  /// Rounds f32 rows to integers: `source` `[count][columns]` to the first `count` rows.
  ///
  /// - Complexity: O(count · columns).
  func quantize(_ source: UnsafePointer<Float>, count: Int) {
    for row in 0..<count {
      ck_quantize_row(
        Int32(bits), source + row * columns, columns, values + row * columns, scales + row * groups)
    }
  }

  /// Lends the first `count` rows as files hold them: bytes, or two 4-bit values a byte.
  func withValues<R>(_ count: Int, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    guard bits == 4 else {
      return try body(UnsafeRawBufferPointer(start: values, count: count * columns))
    }
    let width = (columns + 1) / 2
    let pairs = UnsafeMutablePointer<UInt8>.allocate(capacity: count * width)
    defer { pairs.deallocate() }
    for row in 0..<count { ck_pair_int4(values + row * columns, columns, pairs + row * width) }
    return try body(UnsafeRawBufferPointer(start: pairs, count: count * width))
  }

  /// Lends the scales of the first `count` rows as files hold them.
  func withScales<R>(_ count: Int, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try body(UnsafeRawBufferPointer(start: scales, count: count * groups * 2))
  }

  /// Packs the first `count` rows, at most sixteen, into a panel.
  func pack(count: Int, into panel: UnsafeMutableRawPointer) {
    ck_pack_quantized(
      Int32(bits), values, scales, count, columns, panel.assumingMemoryBound(to: UInt8.self))
  }
}
