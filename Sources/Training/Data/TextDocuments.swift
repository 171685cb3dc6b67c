import Foundation
import Tensors

/// The documents of a file: the field `text` of each line of JSON, plain or `.zst`, one after the
/// other in bounded memory.
final class TextDocuments {
  private let path: String
  private let reader: LineReader

  /// Opens a file.
  init(_ url: URL) throws {
    path = url.path
    reader = try LineReader(url: url)
  }

  /// The next document, which may be empty; nil after the last. Blank lines are none.
  ///
  /// - Throws: `SpeculateError` naming the file and the line where a line is no such object.
  func next() throws -> String? {
    while let line = try reader.next() {
      if line.allSatisfy(\.isWhitespace) { continue }
      let value: JSONValue
      do { value = try JSONValue(parsing: line) } catch {
        throw SpeculateError(
          "\(path): line \(reader.lineNumber): \(error); correct the line or remove it")
      }
      guard let text = value["text"]?.text else {
        throw SpeculateError(
          "\(path): line \(reader.lineNumber) has no field \"text\"; give JSON lines such as "
            + "{\"text\": \"…\"}")
      }
      return text
    }
    return nil
  }
}
