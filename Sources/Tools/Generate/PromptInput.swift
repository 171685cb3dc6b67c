import Files
import Foundation
package import Text

/// Where prompts come from: the command line, a file, or standard input.
package struct PromptInput {
  /// One prompt and where it stands, for messages: `prompts.jsonl line 3`.
  package struct Prompt: Sendable {
    package enum Content: Sendable {
      /// A text to go on from.
      case text(String)
      /// A conversation to answer.
      case chat(Conversation)
    }

    package let content: Content
    package let place: String
    package var category: String?
    /// What the user of a chat says after each of the answers.
    package var laterTurns: [String] = []

    package init(_ content: Content, place: String) {
      self.content = content
      self.place = place
    }

    /// What is asked after an answer; `nil` where the user of a chat says nothing more.
    package func next(after answer: String) -> Prompt? {
      guard case .chat(let conversation) = content, let turn = laterTurns.first else { return nil }
      var longer = conversation
      longer.append(.assistant(answer))
      longer.append(.user(turn))
      var next = Prompt(.chat(longer), place: place)
      next.laterTurns = Array(laterTurns.dropFirst())
      return next
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
  ///
  /// - Parameters:
  ///   - option: What gave the path, for messages.
  ///   - takesDocuments: Whether a line may be a document, of which a beginning is the prompt.
  /// - Throws: `SpeculateError` naming the file and line.
  package static func file(
    _ path: String, option: String = "--prompt-file", takesDocuments: Bool = false
  ) throws -> [Prompt] {
    if path == "-" { return try standardInput() }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw SpeculateError("\(option) \(path): there is no such file; check the path")
    }
    guard !isFolder.boolValue else {
      throw SpeculateError("\(option) \(path): this is a folder; give a text or .jsonl file")
    }
    if path.hasSuffix(".jsonl") || path.hasSuffix(".jsonl.zst") {
      return try lines(of: path, takesDocuments)
    }
    return [try prompt(text(of: path), place: path)]
  }

  private static func text(of path: String) throws -> String {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw SpeculateError("\(path) can't be read; check its permissions")
    }
    return try utf8(data, place: path)
  }

  private static func lines(of path: String, _ takesDocuments: Bool) throws -> [Prompt] {
    let reader = try LineReader(url: URL(filePath: path))
    var prompts: [Prompt] = []
    var number = 0
    while let line = try reader.next() {
      number += 1
      if line.allSatisfy(\.isWhitespace) { continue }
      let place = "\(path) line \(number)"
      prompts.append(try prompt(line: line, place: place, takesDocuments))
    }
    guard !prompts.isEmpty else {
      throw SpeculateError("\(path) holds no prompt; put one JSON object with \"prompt\" on a line")
    }
    return prompts
  }

  private static func prompt(line: String, place: String, _ takesDocuments: Bool) throws -> Prompt {
    do {
      let line = try PromptLine(line)
      var prompt: Prompt
      switch line.content {
      case .prompt(""), .document(""):
        throw SpeculateError("is empty; give at least one character")
      case .prompt(let text): prompt = Prompt(.text(text), place: place)
      case .chat(let conversation):
        prompt = Prompt(.chat(try conversation.awaitingAnswer()), place: place)
      case .turns(let turns):
        guard !turns.contains("") else {
          throw SpeculateError("has an empty turn; give at least one character")
        }
        prompt = Prompt(.chat(Conversation(user: turns[0])), place: place)
        prompt.laterTurns = Array(turns.dropFirst())
      case .document(let text):
        guard takesDocuments else {
          throw SpeculateError(
            "is a document, not a prompt; give \"prompt\", \"turns\" or \"messages\"")
        }
        prompt = Prompt(.text(text), place: place)
      }
      prompt.category = line.category
      return prompt
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
