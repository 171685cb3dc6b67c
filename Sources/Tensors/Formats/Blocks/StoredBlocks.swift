internal import CKernels
import Files
internal import Foundation

/// A matrix of blocks as a file stores it.
struct StoredBlocks<Coding: BlockCoding>: StoredMatrix {
  let names: [String]
  private let rows: Int
  private let columns: Int
  private let order: RowOrder
  private let withBytes: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

  /// - Parameter withBytes: Lends all rows, one after the other.
  init(
    names: [String], rows: Int, columns: Int, order: RowOrder = .plain,
    withBytes: @escaping ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) {
    self.names = names
    self.rows = rows
    self.columns = columns
    self.order = order
    self.withBytes = withBytes
  }

  private var rowBytes: Int { Coding.rowBytes(columns: columns) }

  func pack(into panels: UnsafeMutableRawPointer) throws {
    let bytes = Coding.panelBytes(columns: columns)
    let some = UnsafeMutableRawBufferPointer(
      start: try Memory.take(Coding.panelRows * rowBytes, for: "weights"),
      count: Coding.panelRows * rowBytes)
    defer { free(some.baseAddress) }
    try withBytes { source in
      for first in stride(from: 0, to: rows, by: Coding.panelRows) {
        let count = min(Coding.panelRows, rows - first)
        for index in 0..<count { copy(first + index, of: source, to: some, at: index) }
        guard let base = some.baseAddress else { continue }
        Coding.pack(
          base, count: count, columns: columns, into: panels + first / Coding.panelRows * bytes)
      }
    }
  }

  func encode(into table: UnsafeMutableRawPointer) throws {
    let target = UnsafeMutableRawBufferPointer(start: table, count: rows * rowBytes)
    try withBytes { source in
      for row in 0..<rows { copy(row, of: source, to: target, at: row) }
    }
  }

  func floats() throws -> FloatBuffer {
    let values = FloatBuffer(count: rows * columns)
    try withBytes { source in
      guard let base = source.baseAddress else { return }
      for row in 0..<rows {
        Coding.decode(
          base + order.place(of: row) * rowBytes, columns: columns, to: values.base + row * columns)
      }
    }
    return values
  }

  private func copy(
    _ row: Int, of source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer,
    at index: Int
  ) {
    let start = order.place(of: row) * rowBytes
    UnsafeMutableRawBufferPointer(rebasing: target[index * rowBytes..<(index + 1) * rowBytes])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start..<start + rowBytes]))
  }
}
