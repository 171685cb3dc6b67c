import Files
import Foundation
import Testing

/// `speculate bench serve` and the server that it measures, as processes.
@Suite struct BenchServeTests {
  private let pair: TinyPair

  init() throws {
    pair = try TinyPair()
    try pair.addChatTemplate()
  }

  @Test func aLoadIsMeasured() throws {
    defer { pair.remove() }
    let prompts = pair.folder.appending(path: "prompts.jsonl")
    try Data(
      (0..<6).map { #"{"prompt":"abc\#($0)"}"# }.joined(separator: "\n")
        .appending("\n{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}").utf8
    ).write(to: prompts)
    let (server, port) = try pair.serve()
    let base = [
      "bench", "serve", "--url", "http://127.0.0.1:\(port)/v1", "--prompt-file", prompts.path,
    ]
    for pace in [["--clients", "3"], ["--rate", "200", "--requests", "9"]] {
      let result = try CommandProcess(
        base + pace + ["--max-tokens", "5", "--ignore-end", "--json"]
      ).wait()
      #expect(result.status == 0, "\(result.errors)")
      let report = try JSONValue(parsing: result.lastLine)
      let count = pace[0] == "--rate" ? 9 : 7
      #expect(report["requests"] == .integer(count) && report["failed"] == .integer(0))
      #expect(report["tokens"] == .integer(5 * count))
      #expect(report["model"] == .string("target"))
      for name in ["first_token_seconds", "per_token_seconds", "request_seconds"] {
        let times = try #require(report[name])
        let values = ["p50", "p90", "p99"].compactMap { times[$0]?.number }
        // Tokens of one pass may come at once.
        let least = name == "per_token_seconds" ? 0 : Double.leastNonzeroMagnitude
        #expect(values.count == 3 && values == values.sorted() && values[0] >= least, "\(name)")
      }
    }
    let text = try CommandProcess(base + ["--max-tokens", "2"]).wait()
    #expect(text.output.contains("7 requests in ") && text.output.contains("to the first token"))
    let lost = try CommandProcess(base + ["--model", "other", "--max-tokens", "2"]).wait()
    #expect(lost.status == 1 && lost.output.contains("7 failed (status 404"))
    server.interrupt()
    #expect(try server.wait().status == 0)
    let gone = try CommandProcess(base).wait()
    #expect(gone.status == 1 && gone.errors.contains("Connection refused"))
    let wrong = try CommandProcess(
      ["bench", "serve", "--url", "https://x", "--prompt-file", prompts.path]
    ).wait()
    #expect(wrong.status == 1 && wrong.errors.contains("give http://HOST:PORT"))
  }

  /// The second request behind a beginning computes its question alone.
  @Test func whatAKnownBeginningSavesIsMeasured() throws {
    defer { pair.remove() }
    let prompts = pair.folder.appending(path: "prompts.jsonl")
    let texts = (0..<9).map { #"{"prompt":"text \#($0 * 7919) of some length"}"# }
    try Data(texts.joined(separator: "\n").utf8).write(to: prompts)
    let (server, port) = try pair.serve()
    let base = [
      "bench", "serve", "--url", "http://127.0.0.1:\(port)", "--prompt-file", prompts.path,
      "--shared-prefix", "90",
    ]
    let result = try CommandProcess(base + ["--requests", "5", "--json"]).wait()
    #expect(result.status == 0, "\(result.errors)")
    let report = try JSONValue(parsing: result.lastLine)
    #expect(report["beginnings"] == .integer(5) && report["failed"] == .integer(0))
    #expect(report["prompt_tokens"]?.number == 106)
    #expect(report["new_cached_tokens"]?.number ?? 90 < 5)
    // Where questions begin alike by chance, more was known.
    #expect((90..<93).contains(report["known_cached_tokens"]?.number ?? 0))
    for name in ["new_seconds", "known_seconds"] {
      #expect(report[name]?["p50"]?.number ?? 0 > 0, "\(name)")
    }
    #expect(report["share"]?.number ?? 0 > 0)
    let text = try CommandProcess(base).wait()
    #expect(text.output.contains("8 beginnings of 90 tokens, each asked about twice, 0 failed"))
    #expect(text.output.contains("the known take "))
    let long = try CommandProcess(base.dropLast() + ["500", "--requests", "1"]).wait()
    #expect(long.status == 1 && long.output.contains("1 failed (status 400: the prompt has 516"))
    server.interrupt()
    #expect(try server.wait().status == 0)
    let mixed = try CommandProcess(base + ["--clients", "2"]).wait()
    #expect(mixed.status != 0)
    #expect(
      mixed.errors.contains("--clients means nothing with --shared-prefix: leave one of them out"))
  }
}
