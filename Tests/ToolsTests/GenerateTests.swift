import Foundation
import Testing

@Suite struct GenerateTests {
  private func run(
    _ pair: TinyPair, _ arguments: String..., input: String? = nil
  ) throws -> CommandResult {
    try CommandProcess(
      ["generate"] + arguments, input: input,
      environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
  }

  private func json(_ text: some StringProtocol) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func plainAndSpeculativeTextIsTheSame() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let options = ["--max-tokens", "40", "--ignore-end", "--temperature", "1", "--json"]
    let speculative = try CommandProcess(
      ["generate", "--prompt", "abc", "--target", pair.target.path, "--drafter", pair.drafter.path]
        + options
    ).wait()
    let plain = try CommandProcess(
      ["generate", "--prompt", "abc", "--target", pair.target.path, "--drafter", "none"] + options
    ).wait()
    #expect(speculative.status == 0)
    #expect(plain.status == 0)
    #expect(speculative.errors == "")
    let (one, other) = (try json(speculative.output), try json(plain.output))
    for way in [
      ["--drafter", "suffix"], ["--drafter", pair.drafter.path, "--recycling"],
      ["--decoder", "jacobi"],
      [
        "--decoder", "jacobi", "--jacobi-block", "8", "--jacobi-blocks", "3", "--jacobi-spawn",
        "0.5", "--jacobi-pool", "2", "--jacobi-rows", "16",
      ],
    ] {
      let result = try CommandProcess(
        ["generate", "--prompt", "abc", "--target", pair.target.path] + way + options
      ).wait()
      #expect(result.errors == "")
      #expect(try json(result.output)["ids"] as? [Int] == other["ids"] as? [Int])
    }
    #expect((one["ids"] as? [Int])?.count == 40)
    #expect(one["ids"] as? [Int] == other["ids"] as? [Int])
    #expect(one["text"] as? String == other["text"] as? String)
    #expect(one["finish"] as? String == "length")
  }

  @Test func theTextAloneGoesToStandardOutput() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let result = try run(pair, "--prompt", "abc", "--max-tokens", "20", "--json")
    let text = try #require(try json(result.output)["text"] as? String)
    let plain = try run(pair, "--prompt", "abc", "--max-tokens", "20", "--stats")
    #expect(plain.output == (text.hasSuffix("\n") ? text : text + "\n"))
    #expect(plain.errors.contains("rounds, tau "))
    #expect(plain.errors.contains("tok/s"))
  }

  @Test func aPromptMayComeFromEverywhere() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let file = pair.folder.appending(path: "prompt.txt")
    try Data("one\ntwo\n".utf8).write(to: file)
    let direct = try run(pair, "--prompt", "one\ntwo\n", "--json")
    let ids = try #require(try json(direct.output)["ids"] as? [Int])
    for result in [
      try run(pair, "--prompt-file", file.path, "--json"),
      try run(pair, "--prompt-file", "-", "--json", input: "one\ntwo\n"),
      try run(pair, "--prompt", "-", "--json", input: "one\ntwo\n"),
      try run(pair, "-", "--json", input: "one\ntwo\n"),
    ] {
      #expect(result.status == 0)
      #expect(try json(result.output)["ids"] as? [Int] == ids)
    }
  }

  @Test func everyLineOfAJSONLinesFileIsAPrompt() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let file = pair.folder.appending(path: "prompts.jsonl")
    try Data(
      """
      {"prompt": "first", "other": 1}

      {"prompt": "second\\n"}
      {"prompt": "third"}
      """.utf8
    ).write(to: file)
    let result = try run(
      pair, "--prompt-file", file.path, "--json", "--max-tokens", "5", "--limit", "2")
    #expect(result.status == 0)
    let lines = try result.output.split(separator: "\n").map { try json($0) }
    #expect(lines.map { $0["prompt"] as? String } == ["first", "second\n"])
    #expect(
      lines.map { $0["place"] as? String } == ["\(file.path) line 1", "\(file.path) line 3"])
  }

  @Test func severalPromptsHaveHeadings() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let file = pair.folder.appending(path: "prompts.jsonl")
    try Data(#"{"prompt": "first"}\#n{"prompt": "second"}"#.utf8).write(to: file)
    let result = try run(pair, "--prompt-file", file.path, "--max-tokens", "5", "--echo")
    #expect(result.output.hasPrefix("--- [1/2] \(file.path) line 1\nfirst"))
    #expect(result.output.contains("\n\n--- [2/2] \(file.path) line 2\nsecond"))
  }

  @Test func aComparisonEndsWithTheSummary() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let file = pair.folder.appending(path: "prompts.jsonl")
    try Data(#"{"prompt": "first"}\#n{"prompt": "second"}"#.utf8).write(to: file)
    let result = try run(
      pair, "--prompt-file", file.path, "--compare", "--max-tokens", "60", "--ignore-end")
    #expect(result.status == 0)
    // A random drafter may be found to help nothing.
    #expect(result.errors.isEmpty || result.errors.hasPrefix("note: \(pair.drafter.path): its "))
    let summary =
      /identical yes \| speedup \d+\.\d\d \| tau \d+\.\d\d \| plain \d+\.\d tok\/s \| speculative \d+\.\d tok\/s/
    #expect(result.lastLine.wholeMatch(of: summary) != nil, "\(result.lastLine)")
    #expect(result.output.contains("[2/2] \(file.path) line 2, 60 tokens"))
    #expect(result.output.contains("loop_share"))
  }

  @Test func aComparisonShowsBothTextsBesideEachOther() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let result = try run(
      pair, "--prompt", "first", "--max-tokens", "20", "--ignore-end", "--compare", "--echo",
      "--repeats", "1")
    let rows = result.output.split(separator: "\n").filter { $0.contains(" │ ") }
    let columns = rows.map { $0.split(separator: " │ ", maxSplits: 1) }
      .filter { $0.count == 2 }
    #expect(result.output.contains("\nfirst\n"))
    #expect(columns.first?.first?.hasPrefix("plain, ") == true)
    #expect(columns.first?.last?.hasPrefix("speculative, ") == true)
    let texts = (0...1).map { side in
      columns.dropFirst().map { $0[side].filter { !$0.isWhitespace } }.joined()
    }
    #expect(!texts[0].isEmpty && texts[0] == texts[1])
  }

  @Test func aComparisonsJSONIsOneObject() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let result = try run(
      pair, "--prompt", "abc", "--compare", "--max-tokens", "30", "--repeats", "1", "--json",
      "--draft-length", "3")
    #expect(result.status == 0)
    let object = try json(result.output)
    #expect(object["identical"] as? Bool == true)
    for name in ["speedup", "tau", "plain", "speculative", "loop_share"] {
      #expect(object[name] is Double, "\(name)")
    }
    #expect((object["acceptance_histogram"] as? [Int])?.isEmpty == false)
    #expect((object["prompts"] as? [Any])?.count == 1)
  }

  @Test(arguments: [2, 3, 5, 16, 32, 33])
  func aShortContextIsRoomEnough(context: Int) throws {
    var sizes = TinyPair.Sizes()
    sizes.context = context
    let pair = try TinyPair(sizes)
    defer { pair.remove() }
    // The second time, pass times of the first are brought up to date.
    for flags in [[], [], ["--drafter", "suffix"], ["--decoder", "jacobi"]] as [[String]] {
      let result = try CommandProcess(
        ["generate", "--prompt", "", "--max-tokens", "40"] + flags,
        environment: [
          "SPECULATE_WEIGHTS": pair.folder.path, "XDG_CACHE_HOME": pair.folder.path,
        ]
      ).wait()
      let plain = try CommandProcess(
        ["generate", "--prompt", "", "--max-tokens", "40", "--drafter", "none"],
        environment: ["SPECULATE_WEIGHTS": pair.folder.path]
      ).wait()
      #expect(result.status == plain.status && result.status >= 0, "\(flags): \(result.errors)")
      #expect(result.output == plain.output)
    }
  }

  /// Ctrl-C, a polite `kill`, and the end of the terminal.
  @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
  func aSignalEndsALongGenerationCleanly(_ signal: Int32) throws {
    var sizes = TinyPair.Sizes()
    sizes.context = 1 << 17
    let pair = try TinyPair(sizes)
    defer { pair.remove() }
    let process = try CommandProcess(
      [
        "generate", "--prompt", "abc", "--max-tokens", "100000", "--ignore-end", "--temperature",
        "1", "--threads", "1",
      ], environment: ["SPECULATE_WEIGHTS": pair.folder.path])
    let deadline = Date(timeIntervalSinceNow: 60)
    while process.output.utf8.count < 100 && Date() < deadline { usleep(10_000) }
    process.interrupt(signal)
    let result = try process.wait()
    #expect(result.status == 130)
    #expect(result.output.utf8.count >= 100)
    #expect(result.output.hasSuffix("\n"))
    #expect(result.errors.hasPrefix("--- interrupted\n"))
    #expect(result.errors.contains("tok/s"))
  }

  @Test func theContextEndsATextBeforeTheTokenLimit() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let full = try run(
      pair, "--prompt", "abc", "--max-tokens", "1000", "--ignore-end", "--stats")
    #expect(full.status == 0)
    #expect(
      full.errors.hasPrefix("--- ended by the context, which is full\n"), "\(full.errors)")
    let short = try run(pair, "--prompt", "abc", "--max-tokens", "10", "--ignore-end", "--stats")
    #expect(short.errors.hasPrefix("--- ended by the token limit\n"))
  }

  /// A target that the embedded drafter wasn't made for drafts from earlier text, and says so.
  @Test func aTargetWithoutADrafterDraftsFromEarlierText() throws {
    var other = TinyPair.Sizes()
    other.hidden = 48
    let (pair, stranger) = (try TinyPair(), try TinyPair(other))
    defer {
      pair.remove()
      stranger.remove()
    }
    let note =
      "no drafter is named for \(stranger.target.path): drafts come from earlier text; --drafter names "
      + "one\n"
    let options = [
      "--target", stranger.target.path, "--prompt", "abc", "--max-tokens", "30", "--json",
    ]
    let usual = try CommandProcess(
      ["generate"] + options, environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
    #expect(usual.status == 0 && usual.errors == note, "\(usual.errors)")
    let plain = try CommandProcess(["generate", "--drafter", "none"] + options).wait()
    #expect(plain.errors == "")
    #expect(try json(usual.output)["ids"] as? [Int] == json(plain.output)["ids"] as? [Int])
    // Where there is no embedded drafter at all, nothing else is asked for.
    let empty = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: empty) }
    let alone = try CommandProcess(
      ["generate"] + options, environment: ["SPECULATE_WEIGHTS": empty.path]
    ).wait()
    #expect(alone.status == 0 && alone.errors == note)
    #expect(try json(alone.output)["ids"] as? [Int] == json(plain.output)["ids"] as? [Int])
    // One that the drafter was made for has it, by whatever name.
    let fitting = try CommandProcess(
      [
        "generate", "--target", pair.target.path, "--prompt", "abc", "--max-tokens", "10", "--json",
      ],
      environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
    #expect(fitting.status == 0 && fitting.errors == "")
    let idle = try CommandProcess(
      ["generate", "--no-suffix"] + options, environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
    #expect(idle.status == 1)
    #expect(idle.errors.hasSuffix("--no-suffix leaves nothing to draft from: give --drafter too\n"))
  }

  /// A trace that grows too large, or a full disk, is told; nothing is killed without a word.
  @Test func aFileThatMayNotGrowIsAnError() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let result = try shell(
      "ulimit -f 4; speculate generate --prompt abc --max-tokens 100 --ignore-end --trace t.jsonl",
      environment: ["SPECULATE_WEIGHTS": pair.folder.path], current: pair.folder)
    #expect(result.status == 1)
    #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    #expect(result.errors.contains("can't be written"), "\(result.errors)")
  }

  @Test func passTimesLieInTheHomeOfTheEnvironment() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let home = pair.folder.appending(path: "home")
    let result = try shell(
      "unset XDG_CACHE_HOME; speculate generate --prompt abc --max-tokens 40",
      environment: ["SPECULATE_WEIGHTS": pair.folder.path, "HOME": home.path])
    #expect(result.status == 0, "\(result.errors)")
    #expect(FileManager.default.fileExists(atPath: home.appending(path: ".cache/speculate").path))
  }
}
