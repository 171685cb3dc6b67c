import Foundation
import Tensors

/// Reads the prompt sets of the speculative decoding literature, and plain files.
///
/// A line of a `.jsonl` file may be a task of
/// - Spec-Bench and MT-Bench: `turns`, and a `category`;
/// - GSM8K and MATH-500 as dialogues: `turns`;
/// - HumanEval, and plain sets: `prompt`, perhaps with a `category`;
/// - MBPP: `text` and `test_list`, asked as its authors do (Austin et al., arXiv 2108.07732);
/// - a collection of documents: `text`, of which a beginning is the prompt.
///
/// Every other file is one prompt.
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
      return try PromptSource.file(path).map {
        PromptTask(category: category, place: name, turns: [$0.text])
      }
    }
    let reader = try LineReader(url: url)
    var tasks: [PromptTask] = []
    while let line = try reader.next() {
      if line.allSatisfy(\.isWhitespace) { continue }
      let place = "\(name) line \(reader.lineNumber)"
      guard let value = try? JSONValue(parsing: line), value.members != nil else {
        throw SpeculateError("\(path) line \(reader.lineNumber) is not a JSON object; correct it")
      }
      guard let turns = turns(of: value), !turns.isEmpty, !turns.contains("") else {
        throw SpeculateError(
          "\(path) line \(reader.lineNumber) holds no prompt: \"turns\", \"prompt\" or \"text\""
            + " should be there and not be empty")
      }
      tasks.append(
        PromptTask(category: value["category"]?.text ?? category, place: place, turns: turns))
    }
    guard !tasks.isEmpty else {
      throw SpeculateError("\(path) holds no prompt; put one JSON object on a line")
    }
    return tasks
  }

  private static func turns(of value: JSONValue) -> [String]? {
    if let turns = value["turns"]?.elements {
      let texts = turns.compactMap(\.text)
      return texts.count == turns.count ? texts : nil
    }
    if let prompt = value["prompt"]?.text { return [prompt] }
    guard let text = value["text"]?.text else { return nil }
    guard let tests = value["test_list"]?.elements?.compactMap(\.text) else { return [text] }
    return [
      "You are an expert Python programmer, and here is your task: \(text) "
        + "Your code should pass these tests:\n\n\(tests.joined(separator: "\n"))\n"
    ]
  }
}
