import Foundation
import Tensors
package import Verifier

/// Where prompts come from: the command line, a file, or standard input.
package struct PromptSource {
  /// One prompt and where it stands, for messages: `prompts.jsonl line 3`.
  package struct Prompt: Sendable {
    /// What is asked.
    package enum Content: Sendable {
      /// A text to go on from.
      case text(String)
      /// A conversation to answer.
      case chat(Conversation)
    }

    package let content: Content
    package let place: String

    package init(_ content: Content, place: String) {
      self.content = content
      self.place = place
    }
  }

  /// A prompt given on the command line; `-` reads standard input.
  package static func text(_ text: String) throws -> [Prompt] {
    text == "-" ? try standardInput() : try [prompt(text, place: "the prompt")]
  }

  /// Prompts in a file; `-` reads standard input.
  ///
  /// The whole of a text file is one prompt, to its last byte. A `.jsonl` file (or `.jsonl.zst`) holds
  /// one prompt or chat a line, as `PromptLine` reads it; of `turns` the first is asked.
  /// - Throws: `SpeculateError` naming the file and line.
  package static func file(_ path: String) throws -> [Prompt] {
    if path == "-" { return try standardInput() }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw SpeculateError("--prompt-file \(path): there is no such file; check the path")
    }
    guard !isFolder.boolValue else {
      throw SpeculateError("--prompt-file \(path): this is a folder; give a text or .jsonl file")
    }
    if path.hasSuffix(".jsonl") || path.hasSuffix(".jsonl.zst") { return try lines(of: path) }
    return [try prompt(text(of: path), place: path)]
  }

  /// The whole of a text file.
  ///
  /// - Throws: `SpeculateError` naming the file.
  package static func text(of path: String) throws -> String {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw SpeculateError("\(path) can't be read; check its permissions")
    }
    return try utf8(data, place: path)
  }

  private static func lines(of path: String) throws -> [Prompt] {
    let reader = try LineReader(url: URL(filePath: path))
    var prompts: [Prompt] = []
    var number = 0
    while let line = try reader.next() {
      number += 1
      if line.allSatisfy(\.isWhitespace) { continue }
      let place = "\(path) line \(number)"
      prompts.append(try prompt(line: line, place: place))
    }
    guard !prompts.isEmpty else {
      throw SpeculateError("\(path) holds no prompt; put one JSON object with \"prompt\" on a line")
    }
    return prompts
  }

  private static func prompt(line: String, place: String) throws -> Prompt {
    do {
      switch try PromptLine(line).content {
      case .prompt(""): throw SpeculateError("is empty; give at least one character")
      case .prompt(let text): return Prompt(.text(text), place: place)
      case .chat(let conversation):
        return Prompt(.chat(try conversation.awaitingAnswer()), place: place)
      case .turns(let turns): return Prompt(.chat(try Conversation(user: turns[0])), place: place)
      case .document:
        throw SpeculateError(
          "is a document, not a prompt; give \"prompt\", \"turns\" or \"messages\"")
      }
    } catch let error as SpeculateError {
      throw SpeculateError("\(place) \(error.description)")
    }
  }

  private static func standardInput() throws -> [Prompt] {
    let place = "standard input"
    let data: Data
    do {
      data = try FileHandle.standardInput.readToEnd() ?? Data()
    } catch {
      throw SpeculateError("\(place) can't be read; give the prompt with --prompt or --prompt-file")
    }
    return try [prompt(utf8(data, place: place), place: place)]
  }

  private static func utf8(_ data: Data, place: String) throws -> String {
    guard let text = String(validating: data, as: UTF8.self) else {
      throw SpeculateError("\(place) is not UTF-8 text; convert it to UTF-8")
    }
    return text
  }

  private static func prompt(_ text: String, place: String) throws -> Prompt {
    guard !text.isEmpty else {
      throw SpeculateError("\(place) is empty; give at least one character")
    }
    return Prompt(.text(text), place: place)
  }
}
