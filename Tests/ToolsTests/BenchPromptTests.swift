import Foundation
import Testing

/// `bench decode --prompt-file` and `bench train` end to end; how fast anything is, no test decides.
@Suite struct BenchPromptTests {
  /// A tiny pair and a file of prompts.
  private struct Bench {
    let pair: TinyPair
    let prompts: URL

    init(_ text: String = #"{"prompt": "first"}\#n\#n{"prompt": "second", "id": 2}\#n"#) throws {
      pair = try TinyPair()
      prompts = pair.folder.appending(path: "prompts.jsonl")
      try Data(text.utf8).write(to: prompts)
    }

    func decode(_ arguments: String...) throws -> CommandResult {
      try CommandProcess(
        ["bench", "decode", "--prompt-file", prompts.path, "--max-tokens", "40", "--ignore-end"]
          + arguments, environment: ["SPECULATE_WEIGHTS": pair.folder.path]
      ).wait()
    }
  }

  private func json(_ result: CommandResult) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  /// Checks what has to hold between the figures of some outputs, and returns how many tokens they
  /// have.
  @discardableResult
  private func check(_ object: [String: Any], outputs: Int) throws -> Int {
    func number(_ name: String) throws -> Double {
      try #require(object[name] as? Double, "\(name)")
    }
    let (plain, speculative) = (
      try number("plain_tokens_per_second"), try number("speculative_tokens_per_second")
    )
    let (speedup, tau) = (try number("speedup"), try number("tau"))
    #expect(plain > 0 && speculative > 0 && tau >= 1)
    #expect(abs(speedup - speculative / plain) < 1e-9 * speedup)
    #expect(abs(try number("speedup_per_tau") - speedup / tau) < 1e-9)
    #expect(try number("longest_accepted") + 1 >= tau)
    for (name, value) in [
      ("plain_tokens_per_second_spread", plain),
      ("speculative_tokens_per_second_spread", speculative), ("speedup_spread", speedup),
    ] {
      let spread = try #require(object[name] as? [String: Double], "\(name)")
      let (least, greatest) = (try #require(spread["least"]), try #require(spread["greatest"]))
      #expect(least <= value * (1 + 1e-9) && value <= greatest * (1 + 1e-9), "\(name)")
    }
    #expect(object["identical"] as? Bool == true)
    #expect(object["outputs"] as? Int == outputs)
    return try #require(object["tokens"] as? Int)
  }

  @Test(arguments: [[], ["--temperature", "1", "--seed", "3"], ["--drafter", "suffix"]])
  func bothWaysOfDecodingAreMeasured(options: [String]) throws {
    let bench = try Bench()
    defer { bench.pair.remove() }
    let result = try CommandProcess(
      [
        "bench", "decode", "--prompt-file", bench.prompts.path, "--max-tokens", "40",
        "--ignore-end", "--rounds", "3", "--threads", "2", "--json",
      ] + options, environment: ["SPECULATE_WEIGHTS": bench.pair.folder.path]
    ).wait()
    #expect(result.status == 0, "\(result.errors)")
    let object = try json(result)
    #expect(try check(object, outputs: 2) == 80)
    #expect(object["rounds"] as? Int == 3)
    #expect(object["max_tokens"] as? Int == 40)
    #expect(object["weights"] as? String == "f32")
    #expect(
      object["drafter"] as? String
        == (options.contains("suffix") ? "suffix" : "embedded drafter, f32"))
    #expect(try #require(object["blas_core"] as? String) != "")
    #expect((object["machine"] as? [String: Any])?["threads"] as? Int == 2)
    let loops = try #require(object["loop_share"] as? Double)
    if let others = object["without_loops"] as? [String: Any] {
      try check(others, outputs: Int((2 * (1 - loops)).rounded()))
    } else {
      #expect(loops == 1)
    }
  }

  @Test func theLimitAndTheWordsOfAReport() throws {
    let bench = try Bench()
    defer { bench.pair.remove() }
    let result = try bench.decode("--limit", "1", "--rounds", "1", "--threads", "1")
    #expect(result.status == 0)
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines[0].contains(" | 1 thread | OpenBLAS "))
    #expect(lines[1] == "embedded target, f32, keys and values f32; drafts: embedded drafter, f32")
    #expect(lines[2] == "1 prompt, plain and speculative in turn, at most 40 tokens, greedy")
    #expect(lines[4].hasPrefix("all"))
    #expect(
      lines[lines.count - 2].contains("of 1 outputs end in a loop; medians of 1 measurement,"))
    #expect(result.lastLine == "identical yes")
  }

  @Test func malformedPromptFiles() throws {
    for (text, complaint) in [
      (#"{"prompt": "a"}\#n{"text": "b"}"#, "line 2 is a document, not a prompt; give"),
      (#"{"prompt": ""}"#, "line 1 is empty"), ("\n", "holds no prompt"), ("{", "line 1 is not"),
      (#"{"prompt": "\#(String(repeating: "a", count: 200))"}"#, "line 1 has 201 tokens"),
    ] {
      let bench = try Bench(text)
      defer { bench.pair.remove() }
      let result = try bench.decode("--json")
      #expect(result.status == 1)
      #expect(result.output == "")
      #expect(result.errors.hasPrefix("error: \(bench.prompts.path) \(complaint)"))
      #expect(result.errors.split(separator: "\n").count == 1)
    }
  }

  @Test func optionsThatDoNotFit() throws {
    let given = "belong to --prompt-file: give it too"
    for (arguments, complaint) in [
      (["--limit", "2"], given), (["--drafter", "suffix"], given), (["--max-tokens", "5"], given),
      (["--temperature", "1"], given), (["--no-suffix"], given),
      (["--prompt-file", "p", "--tokens", "5"], "use --max-tokens"),
      (["--prompt-file", "p", "--context", "5"], "use --max-tokens"),
      (["--prompt-file", "p", "--shape", "qwen3-0.6b"], "give --target instead"),
      (["--prompt-file", "p", "--drafter", "none"], "leave out --drafter none"),
      (["--prompt-file", "p", "--drafter", "suffix", "--no-suffix"], "drop one of them"),
      (["--prompt-file", "p", "--limit", "0"], "use 1 or more"),
      (["--rounds", "0"], "use 1 to 10000"),
    ] {
      let result = try CommandProcess(["bench", "decode"] + arguments).wait()
      #expect(result.status == 64, "\(arguments)")
      #expect(result.errors.contains(complaint), "\(arguments): \(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1, "\(arguments)")
    }
    let result = try speculate("bench", "decode", "--prompt-file", "/nowhere.jsonl")
    #expect(result.status == 1)
    #expect(
      result.errors
        == "error: --prompt-file /nowhere.jsonl: there is no such file; check the path\n")
  }
}
