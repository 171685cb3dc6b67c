internal import CKernels
import Files

/// A matrix of Q8_0 or Q4_0 blocks as a GGUF file stores it: the same values as int8 and int4 have.
struct StoredIntegerBlocks<Coding: IntegerCoding>: StoredMatrix {
  let names: [String]
  private let rows: Int
  private let columns: Int
  private let order: RowOrder
  private let withBytes: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

  /// - Parameter withBytes: Lends all rows, one after the other.
  init(
    name: String, rows: Int, columns: Int, order: RowOrder,
    withBytes: @escaping ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) {
    names = [name]
    self.rows = rows
    self.columns = columns
    self.order = order
    self.withBytes = withBytes
  }

  private var type: ck_block_type { Coding.bits == 8 ? CK_Q8_0 : CK_Q4_0 }
  private var rowBytes: Int { ck_block_row_bytes(type, columns) }

  func pack(into panels: UnsafeMutableRawPointer) throws {
    let bytes = Coding.panelBytes(columns: columns)
    try eachPiece(of: Coding.panelRows) { start, count, buffer in
      buffer.pack(count: count, into: panels + start / Coding.panelRows * bytes)
    }
  }

  func encode(into table: UnsafeMutableRawPointer) throws {
    let bytes = Coding.rowBytes(columns: columns)
    try eachPiece(of: 1) { row, _, buffer in Coding.encode(buffer, into: table + row * bytes) }
  }

  func floats() throws -> FloatBuffer {
    let values = FloatBuffer(count: rows * columns)
    try withBytes { source in
      guard let source = source.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
      for row in 0..<rows {
        ck_widen_blocks(
          type, source + order.place(of: row) * rowBytes, columns, values.base + row * columns)
      }
    }
    return values
  }

  /// Calls `body` with the first row, the number and the content of some rows after others.
  private func eachPiece(
    of pieceRows: Int, _ body: (_ start: Int, _ count: Int, QuantizedRows) -> Void
  ) throws {
    let buffer = QuantizedRows(rows: pieceRows, columns: columns, bits: Coding.bits)
    try withBytes { source in
      guard let source = source.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
      for start in stride(from: 0, to: rows, by: pieceRows) {
        let count = min(pieceRows, rows - start)
        for index in 0..<count {
          ck_integers_of_blocks(
            type, source + order.place(of: start + index) * rowBytes, columns,
            buffer.values + index * columns, buffer.scales + index * buffer.groups)
        }
        body(start, count, buffer)
      }
    }
  }
}
