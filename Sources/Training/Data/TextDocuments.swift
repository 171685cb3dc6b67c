import Foundation
import Tensors

/// The documents of a file, plain or `.zst`, one after the other in bounded memory: the field `text`
/// or `prompt` of each line of JSON, or the file as a whole where it begins with neither "{" nor "[".
final class TextDocuments {
  private let path: String
  private let reader: LineReader
  private var isJSON: Bool?

  /// A document.
  struct Document {
    var text: String
    /// Whether it is a prompt to be answered as it stands, not text to cut prompts out of.
    var isPrompt = false
  }

  /// Opens a file.
  init(_ url: URL) throws {
    path = url.path
    reader = try LineReader(url: url)
  }

  /// The next document, which may be empty; nil after the last. Blank lines are none.
  ///
  /// - Throws: `SpeculateError` naming the file and the line where a line is no such object.
  func next() throws -> Document? {
    while let line = try reader.next() {
      if isJSON == nil, !line.allSatisfy(\.isWhitespace) {
        isJSON = line.drop(while: \.isWhitespace).first.map { "{[".contains($0) }
      }
      if isJSON == false { return try rest(after: line) }
      if line.allSatisfy(\.isWhitespace) { continue }
      return try document(line)
    }
    return nil
  }

  private func document(_ line: String) throws -> Document {
    let value: JSONValue
    do { value = try JSONValue(parsing: line) } catch {
      throw SpeculateError(
        "\(path): line \(reader.lineNumber): \(error); correct the line or remove it")
    }
    if let text = value["text"]?.text { return Document(text: text) }
    if let prompt = value["prompt"]?.text { return Document(text: prompt, isPrompt: true) }
    throw SpeculateError(
      "\(path): line \(reader.lineNumber) has no field \"text\"; give JSON lines such as "
        + "{\"text\": \"…\"}")
  }

  private func rest(after line: String) throws -> Document {
    var text = line
    while let next = try reader.next() { text += "\n" + next }
    return Document(text: text)
  }
}
