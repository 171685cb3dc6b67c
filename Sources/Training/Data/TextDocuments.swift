import Files
import Foundation
import Text

/// The documents of a file, plain or `.zst`, one after the other in bounded memory: one in each
/// line of JSON, as `PromptLine` reads it, or the file as a whole where it begins with neither "{"
/// nor "[".
final class TextDocuments {
  private let path: String
  private let reader: LineReader
  private var isJSON: Bool?

  enum Document {
    /// Text to cut prompts out of.
    case text(String)
    /// A prompt to be answered as it stands.
    case prompt(String)
    /// A conversation to be answered.
    case chat(Conversation)
  }

  /// Where the document stands that `next()` returned last, for messages.
  var place: String { "\(path): line \(reader.lineNumber)" }

  init(_ url: URL) throws {
    path = url.path
    reader = try LineReader(url: url)
  }

  /// The next document, which may be empty; nil after the last. Blank lines are none.
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
    do {
      switch try PromptLine(line).content {
      case .document(let text): return .text(text)
      case .prompt(let prompt): return .prompt(prompt)
      case .turns(let turns): return .chat(Conversation(user: turns[0]))
      case .chat(let conversation): return .chat(try conversation.awaitingAnswer())
      }
    } catch let error as SpeculateError {
      throw SpeculateError("\(place) \(error.description)")
    }
  }

  private func rest(after line: String) throws -> Document {
    var text = line
    while let next = try reader.next() {
      text += "\n" + next
      // A small compressed file may hold any number of lines.
      guard text.utf8.count <= 1 << 30 else {
        throw SpeculateError(
          "\(path) is one document of more than 1 GiB; give one JSON object a line")
      }
    }
    return .text(text)
  }
}
