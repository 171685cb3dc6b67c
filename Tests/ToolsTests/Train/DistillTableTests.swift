import Foundation
import TestSupport
import Testing

/// `speculate distill table` and what drafts with it.
@Suite struct DistillTableTests {
  private let pair: TinyPair
  private let answers: URL

  init() throws {
    pair = try TinyPair()
    answers = pair.folder.appending(path: "answers")
    let made = try CommandProcess(
      ["distill", "data"] + pair.promptFlags() + ["--responses", "20", "--output", answers.path]
    ).wait()
    #expect(made.status == 0, "\(made.errors)")
  }

  private func table(_ arguments: [String] = [], target: URL? = nil) throws -> CommandResult {
    try CommandProcess(
      [
        "distill", "table", "--target", (target ?? pair.target).path, "--responses-from",
        answers.path, "--output", place.path,
      ] + arguments
    ).wait()
  }

  private var place: URL { pair.folder.appending(path: "table") }

  private func generate(_ arguments: [String]) throws -> CommandResult {
    try CommandProcess(
      [
        "generate", "--target", pair.target.path, "--drafter", place.path, "--prompt", "abc",
        "--max-tokens", "40", "--ignore-end",
      ] + arguments
    ).wait()
  }

  @Test func aTableDraftsForItsTarget() throws {
    defer { pair.remove() }
    let made = try table(["--json"])
    #expect(made.status == 0, "\(made.errors)")
    #expect(made.output.contains("\"answers\": 20") || made.output.contains("\"answers\":20"))
    for arguments in [[], ["--draft-length", "6"], ["--temperature", "1"], ["--no-suffix"]] {
      let result = try generate(["--compare", "--repeats", "1"] + arguments)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.lastLine.hasPrefix("identical yes "), "\(result.output)")
    }
    let verified = try generate(["--temperature", "1", "--verification", "block"])
    #expect(verified.status == 0, "\(verified.errors)")
    let inspected = try CommandProcess(["inspect", place.path]).wait()
    #expect(inspected.status == 0 && inspected.output.contains("table of answers"))
    // Made again in its own place.
    #expect(try table().status == 0)
  }

  /// The answers are those of 'distill data', and more of them may be added.
  @Test func oneCommandMakesAnswersAndTheirTable() throws {
    defer { pair.remove() }
    func file(_ folder: URL) throws -> Data {
      try Data(contentsOf: folder.appending(path: "model.safetensors"))
    }
    #expect(try table().status == 0)
    let other = pair.folder.appending(path: "other")
    func make(_ count: Int) throws -> CommandResult {
      try CommandProcess(
        ["distill", "table"] + pair.promptFlags()
          + ["--responses", "\(count)", "--output", other.path]
      ).wait()
    }
    let few = try make(8)
    #expect(few.status == 0 && few.output.contains("8 answers"), "\(few.errors)")
    #expect(try file(other) != file(place))
    let all = try make(20)
    #expect(all.status == 0 && all.output.contains("20 answers"), "\(all.errors)")
    #expect(try file(other) == file(place))
  }

  @Test func whatCannotBeIsRefused() throws {
    defer { pair.remove() }
    let other = try TinyPair(TinyPair.Sizes(hidden: 48))
    defer { other.remove() }
    let foreign = try table(target: other.target)
    #expect(foreign.status == 1)
    #expect(foreign.errors.contains("holds another target's responses"), "\(foreign.errors)")
    let none = try CommandProcess(
      ["distill", "table", "--target", pair.target.path, "--output", place.path]
    ).wait()
    #expect(none.status == 64 && none.errors.contains("or --responses-from"), "\(none.errors)")
    let both = try table(["--data", answers.path])
    #expect(both.status == 64 && both.errors.contains("or --responses-from"), "\(both.errors)")
    #expect(try table().status == 0)
    for flags in [["--drafter-weights", "f32"], ["--drafter-passes", "2"]] {
      let result = try generate(flags)
      #expect(result.status != 0)
      #expect(result.errors.contains("holds a table of answers"), "\(result.errors)")
      #expect(result.errors.contains(flags[0]), "\(result.errors)")
    }
    // Tokens that spell something else.
    let file = place.appending(path: "config.json")
    let written = try String(contentsOf: file, encoding: .utf8)
    let hash = try #require(written.firstMatch(of: #/"tokenizer_hash": *"([0-9a-f]+)"/#)).1
    for (text, complaint) in [("1234", "another tokenizer"), ("no", "the table is damaged")] {
      try written.replacing(hash, with: text).write(to: file, atomically: true, encoding: .utf8)
      let result = try generate([])
      #expect(result.status == 1 && result.errors.contains(complaint), "\(result.errors)")
    }
    // A table that doesn't say of which tokenizer it is.
    try written.replacing("tokenizer_hash", with: "note").write(
      to: file, atomically: true, encoding: .utf8)
    #expect(try generate([]).status == 0)
    let small = try TinyPair(TinyPair.Sizes(vocabulary: 300))
    defer { small.remove() }
    let wrong = try CommandProcess(
      ["generate", "--target", small.target.path, "--drafter", place.path, "--prompt", "abc"]
    ).wait()
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains("the table of answers is of a target with a vocabulary of"))
  }
}
