import Foundation
import TestSupport
import Testing

/// From a chat model to a drafter without any data: `--prompts self`.
@Suite struct WrittenPromptsTests {
  private let folder: TemporaryFolder
  private var target: String { folder.file("target").path }

  init() throws {
    folder = try TemporaryFolder()
    try TalkativeTarget.write(to: folder.file("target"))
  }

  private func run(_ arguments: [String]) throws -> CommandResult {
    try CommandProcess(arguments).wait()
  }

  private func distill(_ arguments: [String], to output: String) throws -> CommandResult {
    try run(
      ["distill"] + arguments + ["--target", target, "--output", folder.file(output).path])
  }

  private let few = [
    "--prompts", "self", "--prompt-length", "40", "--longest-prompt", "60", "--responses", "12",
    "--response-length", "30",
  ]

  @Test func `data says what became of the prompts`() throws {
    let made = try distill(["data", "--json"] + few, to: "answers")
    #expect(made.status == 0, "\(made.errors)")
    let summary = try #require(
      try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String: Any])
    #expect(summary["responses"] as? Int == 12)
    let prompts = try #require(summary["prompts"] as? [String: Any])
    let (written, kept) = (prompts["written"] as? Int ?? 0, prompts["kept"] as? Int ?? 0)
    let dropped = prompts["dropped"] as? [String: Int] ?? [:]
    #expect(written >= 64 && kept >= 12 && dropped.values.reduce(kept, +) == written)
    let unfinished = try #require(dropped["unfinished"])
    #expect(
      made.errors.contains(
        "\(kept) of \(written) prompts that the target wrote are kept; \(unfinished) unfinished"),
      "\(made.errors)")
    let again = try distill(["data", "--json"] + few, to: "answers")
    #expect(again.output == made.output)
  }

  @Test func `one command makes a drafter that changes no token`() throws {
    let made = try distill(
      few + [
        "--layers", "1", "--block-size", "4", "--steps", "3", "--draft-vocabulary", "50",
        "--evaluation-prompts", "3", "--evaluation-length", "20", "--save-best",
      ], to: "drafter")
    #expect(made.status == 0, "\(made.errors)")
    #expect(made.errors.contains("held out: tau "))
    let configuration = try String(
      contentsOf: folder.file("drafter/config.json"), encoding: .utf8)
    #expect(configuration.contains(/"markov_rank"\s*:\s*64/))
    let arguments = [
      "generate", "--target", target, "--chat", "--prompt", "abc", "--max-tokens", "40",
    ]
    let plain = try run(arguments + ["--drafter", "none"])
    let drafted = try run(
      arguments + ["--drafter", folder.file("drafter").path, "--draft-length", "3"])
    #expect(plain.status == 0 && drafted.status == 0, "\(drafted.errors)")
    #expect(plain.output == drafted.output && !plain.output.isEmpty)
  }

  @Test func `mistakes are named`() throws {
    let file = try folder.write(Data(#"{"prompt":"abc"}"#.utf8), to: "p.jsonl").path
    try TalkativeTarget.write(to: folder.file("base"), template: nil)
    for (arguments, status, message) in [
      (["--prompts", "me"], 64, "--prompts is me: give 'self', or --data with a file of prompts"),
      (["--prompts", "self:0"], 64, "--prompts is self:0: give a weight above 0"),
      (["--data", "\(file):-1"], 64, "--data is \(file):-1: give a weight above 0"),
      (["--data", file, "--prompt-length", "9"], 64, "--prompt-length belongs to --prompts self"),
      (["--data", file, "--exclude", file], 64, "--exclude belongs to --prompts self"),
      (few + ["--prompt-top-p", "0"], 64, "--prompt-top-p is 0.0: give more than 0 and at most 1"),
      (
        few + ["--prompt-temperature", "0"], 64,
        "--prompt-temperature 0.0 is out of range: use 0.01 to 100.0"
      ),
      (few + ["--exclude", "nowhere"], 1, "nowhere"),
      (
        few + ["--sampled-share", "0.5"], 64,
        "--sampled-share means nothing for greedy responses: give a --temperature"
      ),
      (
        few + ["--temperature", "1", "--sampled-share", "2"], 64,
        "--sampled-share is 2.0: give more than 0 and at most 1"
      ),
      (few + ["--target", folder.file("base").path], 1, "\(folder.file("base").path)"),
      (few + ["--chat-template", file], 1, "the user's message 0 times"),
    ] as [([String], Int32, String)] {
      let own = arguments.contains("--target") ? [] : ["--target", target]
      let result = try run(
        ["distill", "data"] + arguments + own + ["--output", folder.file("out").path])
      #expect(result.status == status, "\(arguments): \(result.errors)")
      #expect(result.errors.contains(message), "\(arguments): \(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.file("out").path))
    }
  }
}
