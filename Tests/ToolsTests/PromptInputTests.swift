import Foundation
import Testing

/// Prompts from everywhere are what they are: a text, or JSON lines.
@Suite struct PromptInputTests {
  private let pair: TinyPair
  private let lines = #"{"prompt": "one"}\#n\#n{"prompt": "two"}\#n"#

  init() throws { pair = try TinyPair() }

  private func prompts(_ script: String) throws -> [String] {
    let result = try shell(
      script, environment: ["SPECULATE_WEIGHTS": pair.folder.path], current: pair.folder)
    #expect(result.status == 0, "\(script): \(result.errors)")
    return try result.output.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require(object?["prompt"] as? String)
    }
  }

  private func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: pair.folder.appending(path: name))
  }

  @Test(arguments: [
    "speculate generate --json --max-tokens 2 - < p.jsonl",
    "speculate generate --json --max-tokens 2 --prompt - < p.jsonl",
    "speculate generate --json --max-tokens 2 --prompt-file - < p.jsonl",
    "cat p.jsonl | speculate generate --json --max-tokens 2 -",
    "speculate generate --json --max-tokens 2 --prompt-file <(cat p.jsonl)",
    "speculate generate --json --max-tokens 2 --prompt-file P.JSONL",
    "mkfifo q; (cat p.jsonl > q) & speculate generate --json --max-tokens 2 --prompt-file q",
  ])
  func linesAreLinesWhereverTheyComeFrom(script: String) throws {
    defer { pair.remove() }
    try write("p.jsonl", lines)
    try write("P.JSONL", "\u{FEFF}" + lines.replacing("\n", with: "\r\n"))
    #expect(try prompts(script) == ["one", "two"])
  }

  @Test(arguments: [
    "speculate generate --json --max-tokens 2 - < t",
    "speculate generate --json --max-tokens 2 --prompt-file t",
    "speculate generate --json --max-tokens 2 --prompt-file <(cat t)",
  ])
  func aByteOrderMarkIsNoText(script: String) throws {
    defer { pair.remove() }
    try write("t", "\u{FEFF}{ a text\n")
    #expect(try prompts(script) == ["{ a text\n"])
  }

  @Test func placesOfLinesAreNamed() throws {
    defer { pair.remove() }
    let result = try speculate(
      "generate", "-", input: #"{"prompt": "one"}\#n{"text": "two"}"#,
      environment: ["SPECULATE_WEIGHTS": pair.folder.path])
    #expect(result.status == 1)
    #expect(
      result.errors
        == "error: standard input line 2 is a document, not a prompt; give \"prompt\", \"turns\" or "
        + "\"messages\"\n")
  }
}
