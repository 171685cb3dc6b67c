/// The rows of a token embedding, `[vocabulary][width]`, looked up one at a time.
///
/// Immutable once made. A tied head is a `PackedMatrix` beside it: look-ups want whole rows, products
/// want panels.
public final class TokenEmbedding: @unchecked Sendable {
  // Unchecked: the storage is written in `init` only.
  private let storage: UnsafeMutableRawPointer
  private let format: WeightFormat

  /// How many rows there are.
  public let vocabularySize: Int
  /// Values a row.
  public let width: Int

  /// Copies f32 rows, rounding to nearest even for bf16.
  ///
  /// - Parameter values: `[vocabularySize][width]`.
  public init(
    _ values: UnsafePointer<Float>, vocabularySize: Int, width: Int, format: WeightFormat
  ) {
    self.vocabularySize = vocabularySize
    self.width = width
    self.format = format
    let count = vocabularySize * width
    storage = .allocate(byteCount: count * format.bytes, alignment: 64)
    switch format {
    case .f32:
      storage.initializeMemory(as: Float.self, from: values, count: count)
    case .bf16:
      Kernels.narrow(
        values, into: storage.bindMemory(to: UInt16.self, capacity: count), count: count)
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
    let offset = Int(token) * width
    switch format {
    case .f32:
      row.update(from: storage.assumingMemoryBound(to: Float.self) + offset, count: width)
    case .bf16:
      Kernels.widen(storage.assumingMemoryBound(to: UInt16.self) + offset, into: row, count: width)
    }
  }
}
