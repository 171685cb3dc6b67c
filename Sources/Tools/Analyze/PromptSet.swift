import Foundation
import Tensors
import Verifier

/// Reads the prompt sets of the speculative decoding literature, and plain files.
///
/// A line of a `.jsonl` file is a task, as `PromptLine` reads it; of a document a beginning is the
/// prompt. Every other file is one prompt.
package enum PromptSet {
  /// The tasks of a file.
  ///
  /// - Throws: `SpeculateError` naming file and line.
  package static func read(_ path: String) throws -> [PromptTask] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw SpeculateError("--prompts \(path): there is no such file; check the path")
    }
    guard !isFolder.boolValue else {
      throw SpeculateError("--prompts \(path): this is a folder; give a text or .jsonl file")
    }
    let url = URL(filePath: path)
    let name = url.lastPathComponent
    let category = String(name.prefix { $0 != "." })
    guard path.hasSuffix(".jsonl") || path.hasSuffix(".jsonl.zst") else {
      return [PromptTask(category: category, place: name, turns: [try PromptSource.text(of: path)])]
    }
    let reader = try LineReader(url: url)
    var tasks: [PromptTask] = []
    while let line = try reader.next() {
      if line.allSatisfy(\.isWhitespace) { continue }
      let place = "\(name) line \(reader.lineNumber)"
      do {
        let line = try PromptLine(line)
        tasks.append(
          PromptTask(
            category: line.category ?? category, place: place, turns: try turns(of: line.content)))
      } catch let error as SpeculateError {
        throw SpeculateError("\(path) line \(reader.lineNumber) \(error.description)")
      }
    }
    guard !tasks.isEmpty else {
      throw SpeculateError("\(path) holds no prompt; put one JSON object on a line")
    }
    return tasks
  }

  private static func turns(of content: PromptLine.Content) throws -> [String] {
    let turns =
      switch content {
      case .turns(let turns): turns
      case .prompt(let text), .document(let text): [text]
      case .chat:
        throw SpeculateError("is a chat, \"messages\"; give its user's texts as \"turns\"")
      }
    guard !turns.contains("") else {
      throw SpeculateError("holds an empty prompt; remove the line")
    }
    return turns
  }
}
