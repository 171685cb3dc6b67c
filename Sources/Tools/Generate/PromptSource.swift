import Foundation
import Tensors

/// Where prompts come from: the command line, a file, or standard input.
package struct PromptSource {
  /// One prompt and where it stands, for messages: `prompts.jsonl line 3`.
  package struct Prompt: Equatable, Sendable {
    package let text: String
    package let place: String

    package init(text: String, place: String) {
      self.text = text
      self.place = place
    }
  }

  /// A prompt given on the command line; `-` reads standard input.
  package static func text(_ text: String) throws -> [Prompt] {
    text == "-" ? try standardInput() : try checked([Prompt(text: text, place: "the prompt")])
  }

  /// Prompts in a file; `-` reads standard input.
  ///
  /// The whole of a text file is one prompt, to its last byte. A `.jsonl` file (or `.jsonl.zst`) holds
  /// one object a line, whose `prompt` field is a prompt; other fields are of no concern.
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
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw SpeculateError("--prompt-file \(path): can't be read; check its permissions")
    }
    return try checked([Prompt(text: utf8(data, place: path), place: path)])
  }

  private static func lines(of path: String) throws -> [Prompt] {
    let reader = try LineReader(url: URL(filePath: path))
    var prompts: [Prompt] = []
    var number = 0
    while let line = try reader.next() {
      number += 1
      if line.allSatisfy(\.isWhitespace) { continue }
      let place = "\(path) line \(number)"
      guard let object = try? JSONDecoder().decode(PromptLine.self, from: Data(line.utf8)) else {
        throw SpeculateError(
          "\(place) is not a JSON object with a \"prompt\" string; correct or remove the line")
      }
      prompts.append(Prompt(text: object.prompt, place: place))
    }
    guard !prompts.isEmpty else {
      throw SpeculateError("\(path) holds no prompt; put one JSON object with \"prompt\" on a line")
    }
    return try checked(prompts)
  }

  private struct PromptLine: Decodable { let prompt: String }

  private static func standardInput() throws -> [Prompt] {
    let place = "standard input"
    let data: Data
    do {
      data = try FileHandle.standardInput.readToEnd() ?? Data()
    } catch {
      throw SpeculateError("\(place) can't be read; give the prompt with --prompt or --prompt-file")
    }
    return try checked([Prompt(text: utf8(data, place: place), place: place)])
  }

  private static func utf8(_ data: Data, place: String) throws -> String {
    guard let text = String(validating: data, as: UTF8.self) else {
      throw SpeculateError("\(place) is not UTF-8 text; convert it to UTF-8")
    }
    return text
  }

  private static func checked(_ prompts: [Prompt]) throws -> [Prompt] {
    for prompt in prompts where prompt.text.isEmpty {
      throw SpeculateError("\(prompt.place) is empty; give at least one character")
    }
    return prompts
  }
}
