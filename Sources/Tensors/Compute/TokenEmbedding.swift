internal import CKernels
public import Files

/// The rows of a token embedding, `[vocabulary][width]`, looked up one at a time.
///
/// Immutable once made. A tied head is a `PackedMatrix` beside it: look-ups want whole rows, products
/// want panels.
public final class TokenEmbedding: @unchecked Sendable {
  // Unchecked: the storage is written in `init` only.
  private let storage: UnsafeMutableRawPointer
  private let rowBytes: Int  // f32, bf16; or the row's f16 scales and then its integers

  /// How the rows are held.
  public let format: WeightFormat

  /// How many rows there are.
  public let vocabularySize: Int
  /// Values a row.
  public let width: Int

  /// Copies f32 rows, rounding to nearest even for bf16 and to scaled integers for int8 and int4.
  ///
  /// - Parameter values: `[vocabularySize][width]`.
  public convenience init(
    _ values: UnsafePointer<Float>, vocabularySize: Int, width: Int, format: WeightFormat
  ) {
    self.init(vocabularySize: vocabularySize, width: width, format: format)
    let count = vocabularySize * width
    switch format {
    case .f32:
      storage.initializeMemory(as: Float.self, from: values, count: count)
    case .bf16:
      Kernels.narrow(
        values, into: storage.bindMemory(to: UInt16.self, capacity: count), count: count)
    case .int8, .int4:
      let buffer = QuantizedRows(rows: 1, columns: width, bits: format.integerBits ?? 8)
      for row in 0..<vocabularySize {
        buffer.quantize(values + row * width, count: 1)
        write(buffer, to: row)
      }
    }
  }

  /// Takes rows that are quantised already.
  ///
  /// - Parameter fill: Writes a row to the buffer, one row long; called once a row, in order.
  /// - Throws: What `fill` throws.
  package convenience init(
    quantizedVocabularySize vocabularySize: Int, width: Int, format: WeightFormat,
    fill: (_ row: Int, QuantizedRows) throws -> Void
  ) rethrows {
    guard let bits = format.integerBits else {
      preconditionFailure("\(format) is no integer format")
    }
    self.init(vocabularySize: vocabularySize, width: width, format: format)
    let buffer = QuantizedRows(rows: 1, columns: width, bits: bits)
    for row in 0..<vocabularySize {
      try fill(row, buffer)
      write(buffer, to: row)
    }
  }

  /// Takes the memory; the rows are still to be written.
  private init(vocabularySize: Int, width: Int, format: WeightFormat) {
    self.vocabularySize = vocabularySize
    self.width = width
    self.format = format
    let scaleBytes = 2 * WeightFormat.groups(of: width)
    rowBytes =
      switch format {
      case .f32: 4 * width
      case .bf16: 2 * width
      case .int8: scaleBytes + (width + 1) / 2 * 2
      case .int4: scaleBytes + (width + 3) / 4 * 2
      }
    storage = .allocate(byteCount: vocabularySize * rowBytes, alignment: 64)
  }

  private func write(_ row: QuantizedRows, to index: Int) {
    let target = storage + index * rowBytes
    let scaleBytes = 2 * row.groups
    target.copyMemory(from: row.scales, byteCount: scaleBytes)
    if format == .int8 {
      (target + scaleBytes).copyMemory(from: row.values, byteCount: width)
    } else {
      ck_pair_int4(
        row.values, width, (target + scaleBytes).assumingMemoryBound(to: UInt8.self))
    }
  }

  /// Copies an embedding out of a buffer, which is kept alive meanwhile.
  ///
  /// - Parameters:
  ///   - values: `[vocabularySize][width]`.
  public convenience init(
    _ values: FloatBuffer, vocabularySize: Int, width: Int, format: WeightFormat
  ) {
    precondition(values.count == vocabularySize * width, "the buffer must hold exactly the table")
    self.init(values.base, vocabularySize: vocabularySize, width: width, format: format)
    withExtendedLifetime(values) {}
  }

  deinit { storage.deallocate() }

  /// Writes the row of `token`, widened to f32, to `row` `[width]`.
  ///
  /// - Precondition: `0 ≤ token < vocabularySize`.
  public func copy(_ token: Token, to row: UnsafeMutablePointer<Float>) {
    precondition(token >= 0 && token < vocabularySize, "token outside the vocabulary")
    let source = storage + Int(token) * rowBytes
    let scales = source.assumingMemoryBound(to: UInt16.self)
    let integers = source + 2 * WeightFormat.groups(of: width)
    switch format {
    case .f32: row.update(from: source.assumingMemoryBound(to: Float.self), count: width)
    case .bf16: Kernels.widen(scales, into: row, count: width)
    case .int8: ck_widen_int8(integers.assumingMemoryBound(to: Int8.self), scales, width, row)
    case .int4: ck_widen_int4(integers.assumingMemoryBound(to: UInt8.self), scales, width, row)
    }
  }
}
