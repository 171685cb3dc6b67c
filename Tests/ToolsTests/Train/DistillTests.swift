import Foundation
import Testing

/// `speculate distill data` and what learns from it.
@Suite struct DistillTests {
  private let pair: TinyPair
  private let data: [String]

  init() throws {
    pair = try TinyPair()
    let prompts = (0..<30).map { #"{"prompt":"abc\#($0)"}"# }.joined(separator: "\n")
    let file = pair.folder.appending(path: "prompts.jsonl")
    try Data(prompts.utf8).write(to: file)
    data = [
      "--target", pair.target.path, "--data", file.path, "--longest-prompt", "20",
      "--response-length", "20",
    ]
  }

  private func distill(_ arguments: [String], to output: String) throws -> CommandResult {
    try CommandProcess(
      ["distill"] + arguments + ["--output", pair.folder.appending(path: output).path]
    ).wait()
  }

  private let sizes = [
    "--layers", "1", "--block-size", "4", "--mask-token", "\(TinyTokenizer.mask)", "--steps", "3",
    "--draft-vocabulary", "50",
  ]

  @Test func responsesServeSeveralTrainings() throws {
    defer { pair.remove() }
    let made = try distill(["data"] + data + ["--responses", "20"], to: "answers")
    #expect(made.status == 0 && made.output == "")
    #expect(made.errors.contains("20 responses of "))
    let answers = pair.folder.appending(path: "answers").path
    let learnt = try distill(
      ["--target", pair.target.path, "--responses-from", answers] + sizes, to: "one")
    #expect(learnt.status == 0, "\(learnt.errors)")
    let both = try distill(["train"] + data + ["--responses", "20"] + sizes, to: "two")
    #expect(both.status == 0, "\(both.errors)")
    for file in ["model.safetensors", "config.json"] {
      #expect(
        try Data(contentsOf: pair.folder.appending(path: "one/\(file)"))
          == Data(contentsOf: pair.folder.appending(path: "two/\(file)")))
    }
  }

  @Test func mistakesAreNamed() throws {
    defer { pair.remove() }
    let target = ["--target", pair.target.path]
    for (arguments, status, message) in [
      (["data"] + target, 64, "give the documents of the prompts"),
      (target, 64, "or --responses-from"),
      (data + ["--responses-from", "x"], 64, "or --responses-from"),
      (target + ["--responses-from", "nothing"], 1, "nothing holds no responses: give a folder"),
      (data + ["--row-weights", "flat"], 64, "--row-weights is flat: give decay or pace"),
      (data + ["--row-weights", "pace", "--decay", "3"], 64, "--decay means nothing with"),
      (data + ["--cross-entropy", "0"], 64, "are all 0: give one that counts"),
      (data + ["--divergence=-1"], 64, "--divergence is -1.0: give a number of at least 0"),
      (data + ["--init", "nowhere"] + sizes, 1, "--init"),
      (data + ["--response-length", "500"], 1, "don't fit the target's context of 128"),
    ] as [([String], Int32, String)] {
      let result = try distill(arguments, to: "out")
      #expect(result.status == status, "\(arguments): \(result.errors)")
      #expect(result.errors.contains(message), "\(arguments): \(result.errors)")
      #expect(result.output == "")
    }
  }
}
