import Analysis
import Files
import Foundation
import FoundationXML
import Testing

/// `speculate analyze` from end to end, on a tiny pair.
@Suite struct AnalyzeTests {
  private struct Bench {
    let pair: TinyPair
    var folder: URL { pair.folder }
    var trace: URL { folder.appending(path: "run.jsonl") }
    var prompts: URL { folder.appending(path: "prompts.jsonl") }

    init(_ count: Int = 7) throws {
      pair = try TinyPair()
      try pair.addChatTemplate()
      let lines = (0..<count).map { number in
        number % 2 == 0
          ? #"{"category": "even", "turns": ["chat \#(number) abc", "more"]}"#
          : #"{"category": "odd", "prompt": "prompt \#(number) abc"}"#
      }
      try Data(lines.joined(separator: "\n").utf8).write(to: prompts)
    }

    /// Works while the last weight of the target is another one.
    func withOtherWeights(_ body: () throws -> Void) throws {
      let file = pair.target.appending(path: "model.safetensors")
      let data = try Data(contentsOf: file)
      var other = data
      other[other.count - 1] ^= 0x80
      try other.write(to: file)
      defer { try? data.write(to: file) }
      try body()
    }

    func analyze(_ arguments: String...) throws -> CommandResult {
      try CommandProcess(
        ["analyze"] + arguments, environment: ["SPECULATE_WEIGHTS": pair.folder.path]
      ).wait()
    }

    func run(_ more: String...) throws -> CommandResult {
      try CommandProcess(
        [
          "analyze", "run", "--prompts", prompts.path, "--trace", trace.path, "--max-tokens", "24",
          "--ignore-end",
        ] + more, environment: ["SPECULATE_WEIGHTS": pair.folder.path]
      ).wait()
    }
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  /// Runs the independent script; nil where there is no python3.
  private func recompute(_ trace: URL, _ report: URL) throws -> (status: Int32, output: String)? {
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "recompute.py")
    guard
      let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first(where: {
        FileManager.default.isExecutableFile(atPath: $0)
      })
    else {
      print("skipped: there is no python3 to recompute the report with")
      return nil
    }
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: python)
    process.arguments = [script.path, trace.path, report.path]
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  /// Every figure of the report agrees with a script that knows the trace's format only.
  @Test(arguments: [
    ["--draft-length", "auto", "1", "3"],
    ["--draft-length", "auto", "1", "3", "--temperature", "1", "0.3", "--repeats", "2"],
    ["--decoder", "draft", "jacobi", "--draft-length", "3", "auto", "--suffix", "on"],
    ["--draft-length", "3", "--suffix", "on", "off", "--recycling", "on", "--ignore-end"],
  ])
  func figuresAreThoseOfTheTrace(_ sampling: [String]) throws {
    let bench = try Bench()
    defer { bench.pair.remove() }
    let report = bench.folder.appending(path: "report")
    let result = try CommandProcess(
      [
        "analyze", "run", "--prompts", bench.prompts.path, "--trace", bench.trace.path,
        "--max-tokens", "40", "--report", report.path,
      ] + sampling, environment: ["SPECULATE_WEIGHTS": bench.pair.folder.path]
    ).wait()
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("all outputs are those of plain decoding"))
    #expect(result.output.contains("fastest: "))
    let file = report.appending(path: "report.json")
    guard let checked = try recompute(bench.trace, file) else { return }
    #expect(checked.status == 0, "\(checked.output)")
    #expect(checked.output.contains("figures agree"))
    // The script notices when the report lies.
    var text = try String(contentsOf: file, encoding: .utf8)
    let rate = try #require(
      text.firstMatch(of: /"tokens_per_second":\{[^}]*\}?,?"value":(\d+\.\d+)/)?.1)
    text = text.replacing("\"value\":\(rate)", with: "\"value\":9.5")
    try Data(text.utf8).write(to: file)
    let lied = try recompute(bench.trace, file)
    #expect(lied?.status == 1 && lied?.output.contains("reported 9.5") == true)
  }

  @Test func theReportIsOnePageWithItsCharts() throws {
    let bench = try Bench()
    defer { bench.pair.remove() }
    #expect(try bench.run("--draft-length", "3").status == 0)
    let report = bench.folder.appending(path: "report")
    let result = try bench.analyze("report", bench.trace.path, "--output", report.path)
    #expect(result.status == 0 && result.output.contains("written to \(report.path)/report.html"))
    let page = try String(contentsOf: report.appending(path: "report.html"), encoding: .utf8)
    // Nothing is loaded from anywhere.
    #expect(!page.contains("http") && !page.contains("<script") && !page.contains("url("))
    for name in [
      "speed", "speed-by-category", "acceptance-histogram", "acceptance-by-position", "survival",
      "expected-speedup", "calibration", "time", "rejections",
    ] {
      #expect(page.contains("<figure id=\"\(name)\">"), "\(name)")
      let drawing = report.appending(path: "\(name).svg")
      #expect(XMLParser(data: try Data(contentsOf: drawing)).parse(), "\(name)")
      let table = try String(contentsOf: report.appending(path: "\(name).csv"), encoding: .utf8)
      #expect(table.split(separator: "\r\n").count > 1, "\(name)")
    }
    let again = try bench.analyze("report", bench.trace.path, "--json")
    let figures = try object(again.output)
    #expect((figures["configurations"] as? [Any])?.count == 2)
    // Two traces side by side have configurations of different names.
    let twice = try object(
      try bench.analyze("report", bench.trace.path, bench.trace.path, "--json").output)
    let names = (twice["configurations"] as? [[String: Any]])?.compactMap { $0["name"] as? String }
    #expect(names == ["plain", "draft 3", "plain (2)", "draft 3 (2)"])
  }

  /// A run that was cut off goes on, and ends with the trace that it would have had at once.
  @Test func aRunGoesOn() throws {
    let bench = try Bench()
    defer { bench.pair.remove() }
    #expect(try bench.run("--draft-length", "2", "--turns", "2").status == 0)
    let whole = try Trace.read(bench.trace)
    #expect(
      whole.units.count == 7 && whole.units[0].prompts.count == 2
        && whole.units[1].prompts.count == 1)
    let text = try String(contentsOf: bench.trace, encoding: .utf8)
    let unit = "{\"kind\":\"unit\"}\n"
    let ends = text.ranges(of: unit)
    let partial = TraceWriter.partial(of: bench.trace)
    // Three units and a half.
    let cut = text.index(ends[2].upperBound, offsetBy: 900)
    try Data(text[..<cut].utf8).write(to: partial)
    #expect(try bench.run("--draft-length", "2", "--turns", "2").status == 1)  // the trace exists
    try FileManager.default.removeItem(at: bench.trace)
    let other = try bench.run("--draft-length", "3", "--turns", "2")
    #expect(other.status == 1 && other.errors.contains("was left by another run"))
    // Other weights in the same folder give other outputs.
    try bench.withOtherWeights {
      let mixed = try bench.run("--draft-length", "2", "--turns", "2")
      #expect(mixed.status == 1 && mixed.errors.contains("was left by another run"))
    }
    // A part whose outputs don't agree was changed by somebody.
    let part = try String(contentsOf: partial, encoding: .utf8)
    var lines = part.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let end = try #require(lines.lastIndex { $0.contains("\"kind\":\"unit\"") })
    let round = try #require(lines[..<end].lastIndex { $0.contains("\"kind\":\"round\"") })
    let letters = try #require(part.firstMatch(of: /"ids":\[\d+,(\d+),(\d+)/))
    let token = try #require(lines[round].firstMatch(of: /"tokens":\[(\d+)/)).1
    lines[round] = lines[round].replacing(
      "\"tokens\":[\(token)", with: "\"tokens\":[\(token == letters.1 ? letters.2 : letters.1)")
    try Data(lines.joined(separator: "\n").utf8).write(to: partial)
    let doctored = try bench.run("--draft-length", "2", "--turns", "2")
    #expect(
      doctored.errors
        == "error: \(partial.path) is damaged: its outputs differ from plain decoding's; remove it, "
        + "which starts the run again\n")
    try Data(part.utf8).write(to: partial)
    // A lock that a killed process left beside a finished trace goes with the next one.
    try Data(text.utf8).write(to: bench.trace)
    let lock = bench.folder.appending(path: ".run.jsonl.lock")
    try Data("1\n".utf8).write(to: lock)
    #expect(try bench.run("--draft-length", "2", "--turns", "2").status == 1)
    #expect(!FileManager.default.fileExists(atPath: lock.path))
    try FileManager.default.removeItem(at: bench.trace)
    let result = try bench.run("--draft-length", "2", "--turns", "2")
    #expect(result.status == 0 && result.errors.contains("going on after 3 of 7 tasks"))
    let resumed = try Trace.read(bench.trace)
    #expect(resumed.header == whole.header && resumed.texts == whole.texts)
    #expect(resumed.units.count == 7 && !FileManager.default.fileExists(atPath: partial.path))
    for (one, other) in zip(resumed.units, whole.units) {
      #expect(one.prompts == other.prompts)
      #expect(one.entries.map(\.generation.tokens) == other.entries.map(\.generation.tokens))
    }
    #expect(resumed.units[..<3] == whole.units[..<3])
  }

  /// Chats are written by the target's template, answers too; other prompts stand as they are.
  @Test func chatsAreWrittenByTheTemplate() throws {
    let bench = try Bench()
    defer { bench.pair.remove() }
    let lines = [
      #"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"others"}]}"#,
      #"{"turns":["b","c"]}"#, #"{"prompt":"as it stands"}"#,
    ]
    try Data(lines.joined(separator: "\n").utf8).write(to: bench.prompts)
    func prompts(_ arguments: String...) throws -> [String] {
      try? FileManager.default.removeItem(at: bench.trace)
      let result = try CommandProcess(
        ["analyze", "run", "--prompts", bench.prompts.path, "--trace", bench.trace.path]
          + ["--max-tokens", "9", "--drafter", "suffix", "--turns", "2"] + arguments,
        environment: ["SPECULATE_WEIGHTS": bench.pair.folder.path]
      ).wait()
      #expect(result.status == 0, "\(result.errors)")
      let trace = try Trace.read(bench.trace)
      #expect(
        trace.header.configurations.allSatisfy { $0.endTokens == [Token(TinyTokenizer.end)] })
      return trace.units.flatMap(\.prompts).map { prompt in
        prompt.ids.map { trace.texts[$0] ?? "?" }.joined()
      }
    }
    let plain = try prompts("--prompt-tokens", "5")
    #expect(plain.count == 4)
    #expect(plain.prefix(2) == ["<1>[u]a<2>[a]", "<1>[u]b<2>[a]"])
    #expect(plain[2].hasPrefix(plain[1]) && plain[2].hasSuffix("<2>[u]c<2>[a]"))
    #expect(plain[3] == "<1>as i")
    let chat = try prompts("--chat", "--system", "S")
    #expect(chat[0] == "<1>[s]S<2>[u]a<2>[a]" && chat[3] == "<1>[s]S<2>[u]as it stands<2>[a]")
    try FileManager.default.removeItem(at: bench.trace)
    try FileManager.default.removeItem(
      at: bench.pair.target.appending(path: "tokenizer_config.json"))
    let refused = try bench.run()
    #expect(refused.status == 1)
    #expect(
      refused.errors.hasPrefix("error: \(bench.prompts.path) line 1 is a chat: "))
  }

  @Test func generateWritesTraces() throws {
    let bench = try Bench()
    defer { bench.pair.remove() }
    let result = try speculate(
      "generate", "--prompt", "abc", "--max-tokens", "30", "--ignore-end", "--draft-length", "3",
      "--json", "--trace", bench.trace.path,
      environment: ["SPECULATE_WEIGHTS": bench.pair.folder.path])
    #expect(result.status == 0)
    let trace = try Trace.read(bench.trace)
    let generation = try #require(trace.units.first?.entries.first?.generation)
    #expect(generation.tokens.map(Int.init) == (try object(result.output)["ids"] as? [Int]))
    #expect(trace.header.configurations[0].draftLength == 3)
    let report = try bench.analyze("report", bench.trace.path)
    #expect(report.status == 0 && report.output.contains("drafts accepted in a round"))
  }

  /// Every command has temporary names of its own.
  @Test func anotherCommandsTraceIsLeftAlone() throws {
    let bench = try Bench()
    defer { bench.pair.remove() }
    #expect(try bench.run("--draft-length", "2").status == 0)
    let partial = TraceWriter.partial(of: bench.trace)
    try FileManager.default.moveItem(at: bench.trace, to: partial)
    let interrupted = try Data(contentsOf: partial)
    let environment = ["SPECULATE_WEIGHTS": bench.pair.folder.path]
    let generated = try speculate(
      "generate", "--prompt", "abc", "--max-tokens", "9", "--trace", bench.trace.path,
      environment: environment)
    #expect(generated.status == 0, "\(generated.errors)")
    #expect(try Data(contentsOf: partial) == interrupted)
    try FileManager.default.removeItem(at: bench.trace)
    let resumed = try bench.run("--draft-length", "2")
    #expect(resumed.status == 0 && resumed.errors.contains("going on after 7 of 7 tasks"))
  }

  /// A report is written to a folder of its own, and to no one else's.
  @Test func reportsAreWrittenToTheirOwnFolders() throws {
    let bench = try Bench(2)
    defer { bench.pair.remove() }
    #expect(try bench.run("--draft-length", "2").status == 0)
    let report = bench.folder.appending(path: "report").path
    for _ in 0..<2 {
      #expect(try bench.analyze("report", bench.trace.path, "--output", report).status == 0)
    }
    let around = try bench.analyze("report", bench.trace.path, "--output", bench.folder.path)
    #expect(
      around.errors
        == "error: \(bench.folder.path) holds the --trace \(bench.trace.path): give an --output apart "
        + "from it\n")
    let foreign = try bench.analyze("report", bench.trace.path, "--output", bench.pair.drafter.path)
    #expect(
      foreign.errors
        == "error: \(bench.pair.drafter.path) holds \"config.json\", \"model.safetensors\", which "
        + "'analyze report' didn't begin: give another --output\n")
    let advice = try bench.analyze("advise", bench.trace.path, "--output", report)
    #expect(
      advice.errors
        == "error: \(report) was begun by 'analyze report': give another --output\n")
  }

  @Test func adviceOnEarlierTextNeedsNoDrafter() throws {
    let bench = try Bench(2)
    defer { bench.pair.remove() }
    var other = TinyPair.Sizes()
    other.hidden = 48
    let embedded = try TinyPair(other)
    defer { embedded.remove() }
    #expect(try bench.run("--drafter", "suffix").status == 0)
    for drafter in [[], ["--drafter", "suffix"], ["--drafter", "none"]] {
      let result = try CommandProcess(
        ["analyze", "advise", bench.trace.path] + drafter,
        environment: ["SPECULATE_WEIGHTS": embedded.folder.path]
      ).wait()
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("recommended: "))
      #expect(result.output.contains("suffix") == (drafter.last != "none"), "\(result.output)")
    }
    let both = try bench.analyze("advise", bench.trace.path, "--drafter", "none", "suffix")
    #expect(both.status == 64 && both.errors.contains("--drafter none stands alone"))
  }

  @Test func adviceNamesAChoice() throws {
    let bench = try Bench()
    defer { bench.pair.remove() }
    #expect(try bench.run("--draft-length", "3").status == 0)
    let advice = bench.folder.appending(path: "advice")
    let result = try bench.analyze("advise", bench.trace.path, "--output", advice.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("recommended: "))
    #expect(result.lastLine.contains("written to"))
    let drawing = try Data(contentsOf: advice.appending(path: "advice.svg"))
    #expect(XMLParser(data: drawing).parse())
    let figures = try object(try bench.analyze("advise", bench.trace.path, "--json").output)
    let options = try #require(figures["options"] as? [[String: Any]])
    #expect(
      options.compactMap { $0["name"] as? String } == [
        "plain", "draft auto", "draft auto no-suffix", "draft 1", "draft 2", "draft 3",
        "draft 1 suffix", "draft 2 suffix", "draft 3 suffix", "suffix auto", "jacobi",
      ])
    for option in options {
      let name = try #require(option["name"] as? String)
      #expect(option["tokens_per_second"] as? Double ?? 0 > 0, "\(name)")
      // What can't be replayed, what needs no option and plain decoding are always run.
      let isTried = option["trial"] != nil
      #expect(isTried || !["plain", "draft auto", "jacobi"].contains(name), "\(name)")
      let command = try #require(option["command"] as? String)
      let ran = try CommandProcess(
        Array(command.split(separator: " ").map(String.init).dropFirst().dropLast()) + ["abc"],
        environment: ["SPECULATE_WEIGHTS": bench.pair.folder.path]
      ).wait()
      #expect(ran.status == 0, "\(command): \(ran.errors)")
    }
    // The replayed τ of the traced length is the traced one.
    let report = try object(try bench.analyze("report", bench.trace.path, "--json").output)
    let traced = try #require((report["configurations"] as? [[String: Any]])?.last)
    let tau = try #require((traced["tau"] as? [String: Any])?["value"] as? Double)
    #expect(abs((options[5]["tau"] as? Double ?? 0) - tau) < 1e-9)
  }

  @Test func mistakesAreNamed() throws {
    let bench = try Bench(1)
    defer { bench.pair.remove() }
    let missing = try bench.analyze("report", "/nowhere/t.jsonl")
    #expect(missing.status == 1)
    #expect(missing.errors == "error: /nowhere/t.jsonl: there is no such trace; check the path\n")
    let usage = try bench.run("--repeats", "0")
    #expect(usage.status == 64)
    #expect(usage.errors.hasPrefix("error: --repeats 0 is out of range: use 1 to 1000"))
    let length = try bench.run("--draft-length", "zero")
    #expect(length.status == 64)
    let both = try speculate("generate", "--prompt", "a", "--compare", "--trace", "t.jsonl")
    #expect(both.status == 64 && both.errors.contains("--trace records one way of decoding"))
    #expect(try bench.run("--draft-length", "3", "3").status == 1)
    for (arguments, message) in [
      (["--jacobi-pool", "3"], "the --jacobi options belong to --decoder jacobi: give it too"),
      (["--decoder", "jacobi", "--drafter", "suffix"], "belong to --decoder draft: give it too"),
      (["--drafter", "none"], "--drafter none is plain decoding, which always runs: leave it out"),
      (["--drafter", "suffix", "--suffix", "off"], "--suffix off leaves --drafter suffix without"),
      (["--suffix", "maybe"], "The value 'maybe' is invalid for '--suffix <on|off>'"),
    ] {
      let result = try CommandProcess(
        ["analyze", "run", "--prompts", bench.prompts.path, "--trace", bench.trace.path] + arguments
      ).wait()
      #expect(result.status == 64 && result.errors.contains(message), "\(result.errors)")
    }
  }
}
