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

  /// What prompts are read for.
  package enum Use: Sendable {
    /// To be continued, the assistant's message at the end of a chat too.
    case generated
    /// To be answered anew; the assistant's messages at the end of a chat are somebody's answer.
    case measured
    /// The same; a line may also be a document, of which a beginning is the prompt.
    case analysed
  }

  /// A prompt given on the command line; `-` reads standard input.
  package static func text(_ text: String) throws -> [Prompt] {
    text == "-" ? try standardInput(.generated) : try [prompt(text, place: "the prompt")]
  }

  /// Prompts in a file; `-` reads standard input.
  ///
  /// The whole of a text file is one prompt, to its last byte. A `.jsonl` file (or `.jsonl.zst`) holds
  /// one prompt or chat a line, as `PromptLine` reads it; of `turns` the first is asked. What has no
  /// name of its own, standard input or a pipe, is either, as its first line says.
  ///
  /// - Parameters:
  ///   - option: What gave the path, for messages.
  ///   - use: What is done with the prompts.
  /// - Throws: `SpeculateError` naming the file and line.
  package static func file(
    _ path: String, option: String = "--prompt-file", for use: Use = .measured
  ) throws -> [Prompt] {
    if path == "-" { return try standardInput(use) }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw SpeculateError("\(option) \(path): there is no such file; check the path")
    }
    guard !isFolder.boolValue else {
      throw SpeculateError("\(option) \(path): this is a folder; give a text or .jsonl file")
    }
    // `<(…)` is a link to a pipe, which can be read once and has no name that says what is in it.
    let real = URL(filePath: path).resolvingSymlinksInPath().path
    let type = try? FileManager.default.attributesOfItem(atPath: real)[.type] as? FileAttributeType
    guard type == .typeRegular else {
      guard let data = try? FileHandle(forReadingAtPath: path)?.readToEnd() ?? Data() else {
        throw SpeculateError("\(path) can't be read; check its permissions")
      }
      return try prompts(in: data, place: path, use)
    }
    let name = path.lowercased()
    if name.hasSuffix(".jsonl") || name.hasSuffix(".jsonl.zst") {
      let reader = try LineReader(url: URL(filePath: path))
      return try lines(reader.next, place: path, use)
    }
    guard let data = try? Data(contentsOf: URL(filePath: path)) else {
      throw SpeculateError("\(path) can't be read; check its permissions")
    }
    return try [prompt(utf8(data, place: path), place: path)]
  }

  private static func standardInput(_ use: Use) throws -> [Prompt] {
    let place = "standard input"
    guard let data = try? FileHandle.standardInput.readToEnd() ?? Data() else {
      throw SpeculateError("\(place) can't be read; give the prompt with --prompt or --prompt-file")
    }
    return try prompts(in: data, place: place, use)
  }

  /// The prompts of something without a name: those of JSON lines, or the whole text.
  private static func prompts(
    in data: Data, place: String, _ use: Use
  ) throws -> [Prompt] {
    let text = try utf8(data, place: place)
    var rest = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }[...]
    let first = rest.first { !$0.allSatisfy(\.isWhitespace) }
    guard let first, PromptLine.isOne(first) else { return try [prompt(text, place: place)] }
    return try lines({ rest.popFirst().map(String.init) }, place: place, use)
  }

  private static func lines(
    _ next: () throws -> String?, place: String, _ use: Use
  ) throws -> [Prompt] {
    var prompts: [Prompt] = []
    var number = 0
    while let line = try next() {
      number += 1
      if line.allSatisfy(\.isWhitespace) { continue }
      prompts.append(try prompt(line: line, place: "\(place) line \(number)", use))
    }
    guard !prompts.isEmpty else {
      throw SpeculateError(
        "\(place) holds no prompt; put one JSON object with \"prompt\" on a line")
    }
    return prompts
  }

  private static func prompt(line: String, place: String, _ use: Use) throws -> Prompt {
    do {
      let line = try PromptLine(line)
      var prompt: Prompt
      switch line.content {
      case .prompt(""), .document(""):
        throw SpeculateError("is empty; give at least one character")
      case .prompt(let text): prompt = Prompt(.text(text), place: place)
      case .chat(let conversation):
        let isContinued = use == .generated && conversation.unfinishedAnswer != nil
        prompt = Prompt(
          .chat(isContinued ? conversation : try conversation.awaitingAnswer()), place: place)
      case .turns(let turns):
        guard !turns.contains("") else {
          throw SpeculateError("has an empty turn; give at least one character")
        }
        prompt = Prompt(.chat(Conversation(user: turns[0])), place: place)
        prompt.laterTurns = Array(turns.dropFirst())
      case .document(let text):
        guard use == .analysed else {
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

  private static func utf8(_ data: Data, place: String) throws -> String {
    guard let text = fileText(data) else {
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

extension PromptLine {
  /// Whether a text looks like a line of a prompt file: a JSON object with one of its fields.
  fileprivate static func isOne(_ line: Substring) -> Bool {
    guard let object = try? JSONValue(parsing: String(line)) else { return false }
    return ["messages", "turns", "prompt", "text"].contains { object[$0] != nil }
  }
}
