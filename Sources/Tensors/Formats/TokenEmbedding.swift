package import Files
import Glibc

/// The rows of a token embedding, `[vocabulary][width]`, looked up one at a time.
///
/// Immutable once made. A tied head is a `PackedMatrix` beside it: look-ups want whole rows, products
/// want panels.
package final class TokenEmbedding: @unchecked Sendable {
  // Unchecked: the storage is written in `init` only.
  private let storage: UnsafeMutableRawPointer
  private let rowBytes: Int

  package let format: WeightFormat

  package let vocabularySize: Int
  package let width: Int

  /// Copies f32 rows, rounding to nearest even for bf16 and to scaled integers for int8 and int4.
  ///
  /// - Parameter values: `[vocabularySize][width]`.
  package convenience init(
    _ values: UnsafePointer<Float>, vocabularySize: Int, width: Int, format: WeightFormat
  ) {
    self.init(vocabularySize: vocabularySize, width: width, format: format)
    format.coding.encode(values, rows: vocabularySize, columns: width, into: storage)
  }

  /// Takes an embedding that is stored in a format already.
  ///
  /// - Throws: `SpeculateError` when it can't be read.
  convenience init(
    _ stored: any StoredMatrix, vocabularySize: Int, width: Int, format: WeightFormat
  ) throws {
    self.init(vocabularySize: vocabularySize, width: width, format: format)
    try stored.encode(into: storage)
  }

  /// Takes the memory; the rows are still to be written.
  private init(vocabularySize: Int, width: Int, format: WeightFormat) {
    self.vocabularySize = vocabularySize
    self.width = width
    self.format = format
    rowBytes = format.coding.rowBytes(columns: width)
    storage = Memory.takeOrExit(Memory.size(vocabularySize, of: rowBytes), for: "weights")
  }

  /// Copies an embedding out of a buffer, which is kept alive meanwhile.
  ///
  /// - Parameters:
  ///   - values: `[vocabularySize][width]`.
  package convenience init(
    _ values: FloatBuffer, vocabularySize: Int, width: Int, format: WeightFormat
  ) {
    precondition(values.count == vocabularySize * width, "the buffer must hold exactly the table")
    self.init(values.base, vocabularySize: vocabularySize, width: width, format: format)
    withExtendedLifetime(values) {}
  }

  deinit { free(storage) }

  /// Writes the row of `token`, widened to f32, to `row` `[width]`.
  ///
  /// - Precondition: `0 ≤ token < vocabularySize`.
  package func copy(_ token: Token, to row: UnsafeMutablePointer<Float>) {
    precondition(token >= 0 && token < vocabularySize, "token outside the vocabulary")
    format.coding.decode(storage + Int(token) * rowBytes, columns: width, to: row)
  }
}
