import Foundation
import Testing

/// `speculate force` and `speculate force data`.
@Suite struct ForceTests {
  private let pair: TinyPair
  private let data: [String]

  init() throws {
    pair = try TinyPair()
    data = try pair.promptFlags() + ["--responses", "12", "--block", "4"]
  }

  private func force(_ arguments: [String], to output: String) throws -> CommandResult {
    try CommandProcess(
      ["force"] + arguments + ["--output", pair.folder.appending(path: output).path]
    ).wait()
  }

  private func path(_ name: String) -> String { pair.folder.appending(path: name).path }

  @Test func trajectoriesServeSeveralTrainings() throws {
    defer { pair.remove() }
    let made = try force(["data"] + data, to: "trajectories")
    #expect(made.status == 0 && made.output == "", "\(made.errors)")
    #expect(made.errors.contains("12 trajectories of blocks of 4 are in "))
    let short = [
      "--steps", "4", "--heldout", path("prompts.jsonl"), "--evaluate-every", "2",
      "--evaluation-prompts", "2", "--evaluation-length", "12", "--log-every", "1",
    ]
    let learnt = try force(
      [
        "--target", pair.target.path, "--trajectories-from", path("trajectories"), "--block", "4",
        "--longest-prompt", "20",
      ] + short, to: "one")
    #expect(learnt.status == 0 && learnt.output == "", "\(learnt.errors)")
    let both = try force(["train"] + data + short, to: "two")
    #expect(both.status == 0, "\(both.errors)")
    for file in ["model.safetensors", "config.json", "tokenizer.model"] {
      #expect(
        try Data(contentsOf: pair.folder.appending(path: "one/\(file)"))
          == Data(contentsOf: pair.folder.appending(path: "two/\(file)")))
    }
    let last = learnt.errors.split(separator: "\n").last.map(String.init) ?? ""
    #expect(last.hasPrefix("held-out bits a byte ") && last.contains("plain Jacobi 1"), "\(last)")

    let page = try String(contentsOfFile: path("one/report.html"), encoding: .utf8)
    for name in ["loss", "bits", "passes", "rate", "gradient", "speed"] {
      #expect(page.contains("<figure id=\"\(name)\">"), "\(name)")
    }
    #expect(page.contains("<h2>Held-out text and passes</h2>") && page.contains(">the target<"))

    // An ordinary model's folder.
    let prompt = ["--prompt", "abc", "--max-tokens", "12", "--json"]
    let target = ["--target", path("one"), "--drafter", "none"]
    let text = try CommandProcess(["generate"] + target + prompt).wait()
    let jacobi = try CommandProcess(
      ["generate", "--target", path("one"), "--decoder", "jacobi"] + prompt
    ).wait()
    #expect(text.status == 0 && jacobi.status == 0, "\(text.errors)\(jacobi.errors)")
    func ids(_ result: CommandResult) -> Substring? {
      result.output.firstMatch(of: /"ids":\[[^\]]*\]/)?.0
    }
    #expect(ids(text) != nil && ids(text) == ids(jacobi))
  }

  @Test func mistakesAreNamed() throws {
    defer { pair.remove() }
    let target = ["--target", pair.target.path]
    for (arguments, status, message) in [
      (["data"] + target, 64, "give the documents of the prompts"),
      (target, 64, "or --trajectories-from"),
      (data + ["--trajectories-from", "x"], 64, "or --trajectories-from"),
      (target + ["--trajectories-from", "nothing"], 1, "nothing/responses holds no responses"),
      (data + ["--temperature", "1"], 64, "only greedy answers are fixed points"),
      (data + ["--context", "both"], 64, "--context is both: give noisy or clean"),
      (data + ["--clean", "0"], 64, "are both 0, and nothing holds the text"),
      (data + ["--window", "0"], 64, "--window 0 is out of range: use 1 to 1024"),
      (overriding(data, ["--block", "1"]), 64, "--block 1 is out of range: use 2 to 256"),
      (overriding(data, ["--response-length", "500"]), 1, "don't fit the target's context of 128"),
      (data + ["--heldout", "nothing.jsonl"], 1, "nothing.jsonl"),
    ] as [([String], Int32, String)] {
      let result = try force(arguments, to: "out")
      #expect(result.status == status, "\(arguments): \(result.errors)")
      #expect(result.errors.contains(message), "\(arguments): \(result.errors)")
      #expect(result.output == "")
    }
  }
}
