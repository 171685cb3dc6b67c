internal import CKernels
import Files
internal import Foundation

/// The blocks of a GGUF file, computed on as they are stored (docs/formats.md); activations are
/// quantised to 8 bits. Nothing but the type of the blocks differs between the formats.
protocol BlockCoding: WidenedCoding {
  /// The type, by its number in files.
  static var type: ck_block_type { get }
}

extension BlockCoding {
  static var isQuantized: Bool { true }
  /// The head keeps 8 bits beside layers of 5 or less.
  static var usualHead: WeightFormat {
    8 * ck_block_bytes(type) <= 5 * ck_block_columns(type) ? .int8 : WeightFormat(Self.self)
  }
  static var columnLimit: Int? { Int(CK_QUANTIZED_MAX_COLUMNS) }
  static var arithmetic: Arithmetic { .int8 }
  static var activations: (any ActivationCoding.Type)? { BlockActivations.self }

  static func multiply(_ rows: ProductRows, _ product: PanelProduct) {
    let weights = product.storage.assumingMemoryBound(to: UInt8.self)
    switch rows {
    case .values(let x, let stride):
      ck_linear_blocks(
        type, weights, x, stride, product.y, product.stride, product.count,
        product.panels.lowerBound, product.panels.upperBound, product.rows, product.columns,
        product.end)
    case .prepared(let x):
      ck_linear_blocks_quantized(
        type, weights, x.assumingMemoryBound(to: UInt8.self), product.y, product.stride,
        product.count, product.panels.lowerBound, product.panels.upperBound, product.rows,
        product.columns, product.end)
    }
  }

  static func panelBytes(columns: Int) -> Int { ck_block_panel_bytes(type, columns) }

  static func pack(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, first: Int,
    into panel: UnsafeMutableRawPointer
  ) {
    let count = min(panelRows, rows - first), bytes = rowBytes(columns: columns)
    withUnsafeTemporaryAllocation(byteCount: count * bytes, alignment: 64) { buffer in
      guard let blocks = buffer.baseAddress else { return }
      encode(values + first * columns, rows: count, columns: columns, into: blocks)
      pack(blocks, count: count, columns: columns, into: panel)
    }
  }

  /// Packs some rows of blocks, at most sixteen, into a panel.
  static func pack(
    _ rows: UnsafeRawPointer, count: Int, columns: Int, into panel: UnsafeMutableRawPointer
  ) {
    ck_pack_blocks(
      type, rows.assumingMemoryBound(to: UInt8.self), rowBytes(columns: columns), count, columns,
      panel.assumingMemoryBound(to: UInt8.self))
  }

  static func unpack(
    _ panel: UnsafeRawPointer, lane: Int, columns: Int, to values: UnsafeMutablePointer<Float>
  ) {
    withUnsafeTemporaryAllocation(byteCount: rowBytes(columns: columns), alignment: 64) { row in
      guard let row = row.baseAddress else { return }
      ck_unpack_blocks(
        type, panel.assumingMemoryBound(to: UInt8.self), lane, columns,
        row.assumingMemoryBound(to: UInt8.self))
      decode(row, columns: columns, to: values)
    }
  }

  // A row by itself is its blocks.

  static func rowBytes(columns: Int) -> Int { ck_block_row_bytes(type, columns) }

  static func encode(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, into table: UnsafeMutableRawPointer
  ) {
    let bytes = rowBytes(columns: columns)
    for row in 0..<rows {
      ck_narrow_blocks(
        type, values + row * columns, columns,
        (table + row * bytes).assumingMemoryBound(to: UInt8.self))
    }
  }

  static func decode(
    _ row: UnsafeRawPointer, columns: Int, to values: UnsafeMutablePointer<Float>
  ) {
    ck_widen_blocks(type, row.assumingMemoryBound(to: UInt8.self), columns, values)
  }

  // A converted checkpoint holds the rows as bytes, under the tensor's name and that of the format.

  /// What is appended to a tensor's name.
  static var storedSuffix: String { "_\(name)" }

  static func stored(
    _ tensor: NamedShape, in checkpoint: Checkpoint
  ) throws -> (any StoredMatrix)? {
    let (rows, columns) = (tensor.shape[0], tensor.shape[1])
    let part = storedParts(rows: tensor.part?.rows ?? rows, columns: columns)[0]
    let name = tensor.storedName + part.suffix
    guard let type = checkpoint.storedType(of: name) else { return nil }
    guard type == part.type, checkpoint.shape(of: name) == part.shape else {
      throw SpeculateError(
        "\(checkpoint.url.path): tensor \(quoted(name)) must be U8 of shape \(part.shape); "
          + "convert the model again")
    }
    return StoredBlocks<Self>(names: [name], rows: rows, columns: columns, order: tensor.order) {
      try checkpoint.withBytes(of: name, $0)
    }
  }

  static func storedParts(rows: Int, columns: Int) -> [StoredPart] {
    [StoredPart(suffix: storedSuffix, shape: [rows, rowBytes(columns: columns)], type: .u8)]
  }

  static func store(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, part: Int,
    to sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let bytes = rows * rowBytes(columns: columns)
    let out = try Memory.take(bytes, for: "weights")
    defer { free(out) }
    encode(values, rows: rows, columns: columns, into: out)
    try sink(UnsafeRawBufferPointer(start: out, count: bytes))
  }
}

/// Rows quantised to 8 bits with the sums of sub-blocks: what products with blocks of every type take.
enum BlockActivations: ActivationCoding {
  static var group: Int { Int(CK_GROUP) }

  static func rowBytes(preparedColumns columns: Int) -> Int { ck_block_activation_bytes(columns) }

  static func isUsed(columns: Int) -> Bool { true }

  static func prepare(
    _ values: UnsafePointer<Float>, _ columns: Range<Int>, width: Int,
    into row: UnsafeMutableRawPointer
  ) {
    ck_quantize_for_blocks(
      values, columns.lowerBound, columns.count, row.assumingMemoryBound(to: UInt8.self))
  }
}
