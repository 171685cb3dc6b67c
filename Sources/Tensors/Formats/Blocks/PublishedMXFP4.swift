import Files
internal import Foundation

extension StoredBlocks where Coding == MXFP4Coding {
  /// A matrix of gpt-oss's experts as it is published: `NAME_blocks` `[experts][rows][groups][16]` holds the
  /// codes of a group of 32 columns, two a byte and the first in the low half, and `NAME_scales`
  /// `[experts][rows][groups]` the exponents.
  ///
  /// - Returns: nil if the tensor is stored otherwise.
  /// - Throws: `SpeculateError` naming the tensor when it is of another type or shape.
  static func published(_ tensor: NamedShape, in checkpoint: Checkpoint) throws -> StoredBlocks? {
    let (blocks, scales) = (tensor.storedName + "_blocks", tensor.storedName + "_scales")
    guard let part = tensor.part, let whole = part.shape, whole.count == 3,
      checkpoint.shape(of: blocks) != nil
    else { return nil }
    let columns = tensor.shape[1]
    let rows = whole[part.isTransposed ? 2 : 1]
    // Blocks are never transposed.
    let first = part.isTransposed ? part.firstInput / columns * rows : 0
    let groups = columns / 32
    func check(_ name: String, _ shape: [Int]) throws {
      guard columns.isMultiple(of: 32), checkpoint.storedType(of: name) == .u8,
        checkpoint.shape(of: name) == shape
      else {
        throw SpeculateError(
          "\(checkpoint.url.path): tensor \(quoted(name)) must be U8 of shape \(shape), MXFP4 of "
            + "\(columns) columns; config.json and the weights are not of the same model")
      }
    }
    try check(blocks, [whole[0], rows, groups, 16])
    try check(scales, [whole[0], rows, groups])
    return StoredBlocks(names: [blocks, scales], rows: tensor.shape[0], columns: columns) { body in
      let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: tensor.shape[0] * Coding.rowBytes(columns: columns), alignment: 64)
      defer { buffer.deallocate() }
      try checkpoint.withBytes(of: blocks) { blocks in
        try checkpoint.withBytes(of: scales) { scales in
          for row in 0..<tensor.shape[0] {
            let place = (first + part.order.place(of: row)) * groups
            for group in 0..<groups {
              let block = UnsafeMutableRawBufferPointer(
                rebasing: buffer[((row * groups + group) * 17)...].prefix(17))
              block[0] = scales[place + group]
              Self.copyCodes(
                blocks[((place + group) * 16)...].prefix(16), to: block.suffix(from: 1))
            }
          }
        }
      }
      try body(UnsafeRawBufferPointer(buffer))
    }
  }

  /// Puts codes 0 to 15 into low halves and codes 16 to 31 into high halves.
  private static func copyCodes(
    _ published: Slice<UnsafeRawBufferPointer>, to codes: Slice<UnsafeMutableRawBufferPointer>
  ) {
    let source = UnsafeRawBufferPointer(rebasing: published)
    let target = UnsafeMutableRawBufferPointer(rebasing: codes)
    func code(_ index: Int) -> UInt8 {
      index % 2 == 0 ? source[index / 2] & 15 : source[index / 2] >> 4
    }
    for index in 0..<16 { target[index] = code(index) | code(index + 16) << 4 }
  }
}
