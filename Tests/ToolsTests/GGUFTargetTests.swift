import Foundation
import Testing

/// A GGUF file as the target of every command that takes a folder.
@Suite struct GGUFTargetTests {
  private let pair: TinyPair
  private var file: URL { pair.folder.appending(path: "model.gguf") }

  init() throws {
    pair = try TinyPair()
    try pair.addChatTemplate()
    let made = try CommandProcess(
      ["convert", pair.target.path, file.path, "--weights", "f32"]
    ).wait()
    #expect(made.status == 0, "\(made.errors)")
  }

  private func run(_ arguments: [String]) throws -> CommandResult {
    let result = try CommandProcess(arguments).wait()
    #expect(result.status == 0, "\(arguments): \(result.errors)")
    return result
  }

  /// Traces of a file and of its folder hold the same outputs, and advice takes the file for what it was.
  @Test func tracesAreThoseOfTheFolder() throws {
    defer { pair.remove() }
    var outputs: [[Int]] = []
    for (name, target) in [("file", file), ("folder", pair.target)] {
      let trace = pair.folder.appending(path: "\(name).jsonl")
      _ = try run([
        "generate", "--target", target.path, "--drafter", pair.drafter.path, "--prompt", "abc",
        "--max-tokens", "30", "--ignore-end", "--trace", trace.path,
      ])
      let report = try run(["analyze", "report", trace.path, "--json"])
      #expect(report.output.contains("\"configurations\""))
      outputs.append(
        try lines(of: trace).filter { $0["kind"] as? String == "round" }
          .flatMap { $0["tokens"] as? [Int] ?? [] })
    }
    #expect(outputs[0].count == 30 && outputs[0] == outputs[1], "\(outputs)")
  }

  /// The lines of a trace.
  private func lines(of trace: URL) throws -> [[String: Any]] {
    try String(contentsOf: trace, encoding: .utf8).split(separator: "\n").compactMap {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }

  /// Configurations run side by side; prompts that spell special tokens are cut as `generate` cuts them.
  @Test func analyses() throws {
    defer { pair.remove() }
    let prompts = pair.folder.appending(path: "prompts.jsonl")
    try Data(#"{"prompt": "ab</s>c"}"#.utf8).write(to: prompts)
    var counts: [Int] = []
    for option in ["--parse-special", "--no-parse-special"] {
      let trace = pair.folder.appending(path: "run\(option).jsonl")
      _ = try run([
        "analyze", "run", "--target", file.path, "--drafter", pair.drafter.path, "--prompts",
        prompts.path, "--max-tokens", "10", "--ignore-end", option, "--trace", trace.path,
      ])
      let generated = try run([
        "generate", "--target", file.path, "--drafter", "none", "--prompt", "ab</s>c",
        "--max-tokens", "2", "--ignore-end", option, "--json",
      ])
      let object = try #require(
        JSONSerialization.jsonObject(with: Data(generated.output.utf8)) as? [String: Any])
      let statistics = try #require(object["statistics"] as? [String: Any])
      let prompt = try lines(of: trace).first { $0["kind"] as? String == "prompt" }
      let ids = try #require(prompt?["ids"] as? [Int])
      #expect(statistics["prompt_tokens"] as? Int == ids.count, "\(option): \(ids)")
      counts.append(ids.count)
    }
    // "</s>" is one token or four.
    #expect(counts[1] == counts[0] + 3)
  }

  /// Advice finds the file that a trace names, and runs it.
  @Test func advises() throws {
    defer { pair.remove() }
    let trace = pair.folder.appending(path: "run.jsonl")
    _ = try run([
      "analyze", "run", "--target", file.path, "--drafter", pair.drafter.path, "--prompts",
      try Self.texts(in: pair.folder).path, "--max-tokens", "24", "--ignore-end", "--trace",
      trace.path,
    ])
    let advice = try run(["analyze", "advise", trace.path, "--json"])
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(advice.output.utf8)) as? [String: Any])
    let option = try #require((object["options"] as? [[String: Any]])?.first)
    let command = try #require(option["command"] as? String)
    #expect(command.contains("--target \(file.path)"), "\(command)")
    // All but the program, and the prompt that a user is to give.
    _ = try run(command.split(separator: " ").dropFirst().dropLast().map(String.init) + ["abc"])
  }

  private static func texts(in folder: URL) throws -> URL {
    let url = folder.appending(path: "texts.jsonl")
    let lines = ["some words here", "and other words", "abc abc abc"].map { #"{"text":"\#($0)"}"# }
    try Data(lines.joined(separator: "\n").utf8).write(to: url)
    return url
  }

  /// Answers and what is stored of their passes are the folder's.
  @Test func answers() throws {
    defer { pair.remove() }
    let flags = Array(try pair.promptFlags().dropFirst(2))
    let records = try [("a", file), ("b", pair.target)].map { name, target in
      let output = pair.folder.appending(path: name)
      _ = try run(
        [
          "distill", "data", "--target", target.path, "--output", output.path, "--responses", "20",
          "--temperature", "0.7", "--store-taps", "0,1", "--store-log-probabilities", "3",
        ] + flags)
      return try ["0000000.responses.zst", "features/0000000.features.zst"].map {
        try Data(contentsOf: output.appending(path: $0))
      }
    }
    #expect(records[0] == records[1])
  }

  /// Trainings answer, and copy what they begin with, as with the folder that the file was made of.
  @Test func trains() throws {
    defer { pair.remove() }
    let flags = Array(try pair.promptFlags().dropFirst(2))
    func shards(_ target: URL, _ command: [String], _ name: String) throws -> URL {
      let output = pair.folder.appending(path: name)
      _ = try run(
        command + ["--target", target.path, "--output", output.path, "--responses", "20"] + flags)
      return output
    }
    let drafters = try [("a", file), ("b", pair.target)].map { name, target in
      try shards(
        target, ["distill", "--steps", "2", "--layers", "1", "--block-size", "4"], "drafter-\(name)"
      ).appending(path: "model.safetensors")
    }
    #expect(try Data(contentsOf: drafters[0]) == Data(contentsOf: drafters[1]))
    let forced = try [("a", file), ("b", pair.target)].map { name, target in
      try shards(target, ["force", "--block", "4", "--steps", "2"], "forced-\(name)")
    }
    #expect(
      try Data(contentsOf: forced[0].appending(path: "model.safetensors"))
        == Data(contentsOf: forced[1].appending(path: "model.safetensors")))
    let texts = try forced.map { target in
      try run([
        "generate", "--target", target.path, "--drafter", "none", "--prompt", "abc",
        "--max-tokens", "20", "--ignore-end",
      ]).output
    }
    #expect(texts[0] == texts[1])
  }

  /// Perplexity, of a file as of the folder.
  @Test func perplexity() throws {
    defer { pair.remove() }
    let text = pair.folder.appending(path: "text")
    try Data(String(repeating: "all of this is text. ", count: 40).utf8).write(to: text)
    func measure(_ target: URL, _ more: String...) throws -> [String: Any] {
      let result = try run(
        ["analyze", "perplexity", text.path, "--target", target.path, "--window", "60", "--json"]
          + more)
      return try #require(
        JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }
    let mine = try measure(file)
    let perplexity = try #require(mine["perplexity"] as? Double)
    let tokens = try #require(mine["tokens"] as? Int)
    let loss = try #require(mine["loss_per_token"] as? Double)
    let bits = try #require(mine["bits_per_byte"] as? Double)
    #expect(perplexity > 1 && abs(exp(loss) / perplexity - 1) < 1e-9)
    #expect(tokens > 800)
    let bytes = try #require(mine["bytes"] as? Int)
    #expect(
      abs(bits * Double(bytes) - loss * Double(tokens) / log(2)) < 1e-6 * bits * Double(bytes))
    #expect(try measure(pair.target)["perplexity"] as? Double == perplexity)
    #expect(try measure(file, "--weights", "int4")["perplexity"] as? Double != perplexity)
    #expect(try measure(file, "--tokens", "100")["tokens"] as? Int ?? 0 <= 100)
    let wide = try CommandProcess(
      ["analyze", "perplexity", text.path, "--target", file.path, "--window", "128"]
    ).wait()
    #expect(
      wide.errors
        == "error: --window 128 and a begin token don't fit the target's context of 128; give a "
        + "smaller one\n")
  }

  /// What loading finds is said by every command that loads a target.
  @Test func noticesOfEveryCommand() throws {
    defer { pair.remove() }
    let index = pair.target.appending(path: "model.safetensors.index.json")
    try Data(#"{"weight_map": {}}"#.utf8).write(to: index)
    let text = pair.folder.appending(path: "text")
    try Data(String(repeating: "some words ", count: 40).utf8).write(to: text)
    let flags = try pair.promptFlags()
    let prompts = pair.folder.appending(path: "prompts.jsonl").path
    let target = ["--target", pair.target.path]
    func place(_ name: String) -> String { pair.folder.appending(path: name).path }
    for command in [
      ["generate", "--drafter", "none", "--prompt", "abc", "--max-tokens", "4"] + target,
      ["bench", "forward", "--rows", "1", "--rounds", "1"] + target,
      ["bench", "decode", "--rounds", "1", "--tokens", "4"] + target,
      ["bench", "memory", "--rounds", "1"] + target,
      ["analyze", "perplexity", text.path, "--window", "50"] + target,
      [
        "analyze", "run", "--drafter", "suffix", "--prompts", prompts, "--sample", "2",
        "--max-tokens", "4", "--trace", place("t.jsonl"),
      ] + target,
      ["convert", pair.target.path, place("c"), "--weights", "int8", "--perplexity", text.path],
      ["distill", "data", "--responses", "2", "--output", place("r")] + flags,
      ["distill", "--responses", "20", "--steps", "1", "--layers", "1", "--output", place("d")]
        + flags,
      ["force", "data", "--responses", "2", "--block", "4", "--output", place("f")] + flags,
      ["force", "--responses", "20", "--steps", "1", "--block", "4", "--output", place("m")]
        + flags,
    ] {
      let result = try run(command)
      let notes = result.errors.split(separator: "\n").filter { $0.hasPrefix("note: ") }
      #expect(
        notes.filter { $0.contains("model.safetensors.index.json beside it are not") }.count == 1,
        "\(command): \(result.errors)")
    }
  }
}
