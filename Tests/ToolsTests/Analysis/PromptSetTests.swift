import Foundation
import Testing
import Tools

/// Prompt files in the formats of the literature.
@Suite struct PromptSetTests {
  private func read(_ name: String, _ lines: String...) throws -> [PromptTask] {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: name)
    try Data(lines.joined(separator: "\n").utf8).write(to: file)
    return try PromptTask.read(file.path)
  }

  private func texts(_ tasks: [PromptTask]) -> [String] {
    tasks.map { if case .text(let text) = $0.prompt.content { text } else { "a chat" } }
  }

  @Test func everyFormatIsRead() throws {
    let bench = try read(
      "spec_bench.jsonl",
      #"{"question_id": 81, "category": "writing", "turns": ["one", "two"], "reference": ["x"]}"#,
      "", #"{"turns": ["three"]}"#, #"{"messages": [{"role": "user", "content": "four"}]}"#)
    #expect(bench.map(\.category) == ["writing", "spec_bench", "spec_bench"])
    #expect(texts(bench) == ["a chat", "a chat", "a chat"])
    #expect(bench.map(\.prompt.laterTurns) == [["two"], [], []])
    #expect(bench[1].prompt.place.hasSuffix("spec_bench.jsonl line 3"))
    let code = try read(
      "humaneval.jsonl", #"{"task_id": "HumanEval/0", "prompt": "def f():\n", "test": "t"}"#)
    #expect(texts(code) == ["def f():\n"] && code[0].category == "humaneval")
    let mbpp = try read(
      "mbpp.jsonl", #"{"text": "Write f.", "code": "x", "task_id": 1, "test_list": ["a", "b"]}"#)
    #expect(
      texts(mbpp) == [
        "You are an expert Python programmer, and here is your task: Write f. Your code should pass "
          + "these tests:\n\na\nb\n"
      ])
    let documents = try read("swift.jsonl", #"{"source": "s", "path": "p", "text": "import A"}"#)
    #expect(texts(documents) == ["import A"])
    let text = try read("story.txt", "Once", "upon")
    #expect(texts(text) == ["Once\nupon"] && text[0].category == "story")
  }

  @Test func mistakesAreNamed() throws {
    func message(_ lines: String...) -> String {
      do { _ = try read("p.jsonl", lines.joined(separator: "\n")) } catch { return "\(error)" }
      return ""
    }
    #expect(
      message(#"{"prompt": "a"}"#, "[1]").hasSuffix("line 2 is not a JSON object; correct the line")
    )
    for (line, complaint) in [
      (
        #"{"question": "a"}"#,
        "holds neither prompt nor text: \"messages\", \"turns\", \"prompt\" or \"text\" should be there; "
          + "correct the line"
      ),
      (#"{"turns": []}"#, "has a field \"turns\" that is no list of texts; correct the line"),
      (#"{"prompt": ""}"#, "is empty; give at least one character"),
      (#"{"text": ""}"#, "is empty; give at least one character"),
      (#"{"turns": ["a", ""]}"#, "has an empty turn; give at least one character"),
      (
        #"{"messages": [{"role": "assistant", "content": "a"}]}"#,
        "holds only the assistant's messages; give a user's too"
      ),
    ] {
      #expect(message(line).hasSuffix("line 1 \(complaint)"), "\(line)")
    }
    #expect(
      message("").hasSuffix("holds no prompt; put one JSON object with \"prompt\" on a line"))
    do {
      _ = try PromptTask.read("/nowhere/p.jsonl")
      Issue.record("a file that is not there was read")
    } catch {
      #expect("\(error)" == "--prompts /nowhere/p.jsonl: there is no such file; check the path")
    }
  }

  /// A sample takes as many of every category, spread over it, and all of a small one.
  @Test func samplesAreFair() {
    let tasks = (0..<100).map { index in
      PromptTask(
        category: index < 90 ? "large" : index < 98 ? "middle" : "small",
        prompt: PromptInput.Prompt(.text("x"), place: "\(index)"))
    }
    let sample = PromptTask.sample(tasks, 20)
    let places = sample.compactMap { Int($0.prompt.place) }
    #expect(sample.count == 20 && places == places.sorted())
    let counts = Dictionary(grouping: sample, by: \.category).mapValues(\.count)
    #expect(counts == ["small": 2, "middle": 8, "large": 10])
    #expect(places.prefix(10).elementsEqual((0..<10).map { $0 * 9 }))
    for count in [100, 1000] {
      #expect(PromptTask.sample(tasks, count).map(\.prompt.place) == tasks.map(\.prompt.place))
    }
  }

  /// The sets of the literature, where they are.
  @Test(arguments: [
    ("spec_bench", 480), ("mt_bench", 80), ("humaneval", 164), ("mbpp", 974), ("math500", 500),
    ("gsm8k", 1319),
  ]) func publishedSetsAreRead(_ name: String, _ count: Int) throws {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let file = package.appending(path: "../shared/data/prompts/\(name).jsonl").standardized
    guard FileManager.default.fileExists(atPath: file.path) else {
      print("skipped: \(file.path) is not there")
      return
    }
    let tasks = try PromptTask.read(file.path)
    #expect(tasks.count == count)
    if name == "mt_bench" {
      #expect(
        Set(tasks.map(\.category)).count == 8
          && tasks.allSatisfy { $0.prompt.laterTurns.count == 1 })
    }
    if name == "spec_bench" { #expect(Set(tasks.map(\.category)).count == 13) }
  }
}
