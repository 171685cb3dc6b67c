import Foundation
import Testing

/// What a new user does wrong: every mistake is one line that says what to do, and exit code 1.
@Suite struct MistakeTests {
  private func expectFailure(
    _ arguments: [String], input: String? = nil, weights: URL? = nil, _ message: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try CommandProcess(
      ["generate"] + arguments, input: input,
      environment: weights.map { ["SPECULATE_WEIGHTS": $0.path] } ?? [:]
    ).wait()
    #expect(result.status == 1, sourceLocation: sourceLocation)
    #expect(result.errors == "error: \(message)\n", sourceLocation: sourceLocation)
    #expect(result.output == "", sourceLocation: sourceLocation)
  }

  @Test func wrongPaths() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let absent = pair.folder.appending(path: "absent").path
    try expectFailure(
      ["--prompt", "a", "--target", absent],
      "--target \(absent): there is no such folder; check the path")
    let file = pair.target.appending(path: "config.json").path
    try expectFailure(
      ["--prompt", "a", "--target", file],
      "--target \(file): this is a file; give the folder that holds config.json and the weights")
    try expectFailure(
      ["--prompt", "a", "--target", pair.target.path, "--drafter", absent],
      "--drafter \(absent): there is no such folder; check the path")
    try expectFailure(
      ["--prompt-file", "/nowhere.txt"], weights: pair.folder,
      "--prompt-file /nowhere.txt: there is no such file; check the path")
    try expectFailure(
      ["--prompt-file", pair.folder.path], weights: pair.folder,
      "--prompt-file \(pair.folder.path): this is a folder; give a text or .jsonl file")
  }

  @Test func absentWeights() throws {
    let empty = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: empty) }
    try expectFailure(
      ["--prompt", "a"], weights: empty,
      "SPECULATE_WEIGHTS is \(empty.path), but there is no target/config.json in it; correct it, or "
        + "give --target DIR")
  }

  @Test func emptyPrompts() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    try expectFailure(
      ["--prompt", ""], weights: pair.folder, "the prompt is empty; give at least one character")
    try expectFailure(
      ["-"], input: "", weights: pair.folder, "standard input is empty; give at least one character"
    )
    let file = pair.folder.appending(path: "prompts.jsonl")
    try Data(#"{"prompt": "a"}\#n{"prompt": ""}"#.utf8).write(to: file)
    try expectFailure(
      ["--prompt-file", file.path], weights: pair.folder,
      "\(file.path) line 2 is empty; give at least one character")
    try Data("\n\n".utf8).write(to: file)
    try expectFailure(
      ["--prompt-file", file.path], weights: pair.folder,
      "\(file.path) holds no prompt; put one JSON object with \"prompt\" on a line")
  }

  @Test func damagedPromptFiles() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let file = pair.folder.appending(path: "prompts.jsonl")
    for (line, complaint) in [
      (
        #"{"prompt": 3}"#,
        "holds neither prompt nor text: \"messages\", \"turns\", \"prompt\" or \"text\" should be there; correct "
          + "the line"
      ),
      (
        #"{"text": "a"}"#,
        "is a document, not a prompt; give \"prompt\", \"turns\" or \"messages\""
      ),
      (
        "a",
        "is not valid JSON at byte 0: a value should stand here; correct the line or remove it"
      ),
    ] {
      try Data(#"{"prompt": "a"}\#n\#(line)"#.utf8).write(to: file)
      try expectFailure(
        ["--prompt-file", file.path], weights: pair.folder,
        "\(file.path) line 2 \(complaint)")
    }
    let binary = pair.folder.appending(path: "binary.txt")
    try Data([0x66, 0xFF, 0xFE]).write(to: binary)
    try expectFailure(
      ["--prompt-file", binary.path], weights: pair.folder,
      "\(binary.path) is not UTF-8 text; convert it to UTF-8")
  }

  @Test func aPromptLongerThanTheContext() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    try expectFailure(
      ["--prompt", String(repeating: "a", count: 5000)], weights: pair.folder,
      "the prompt has 5,001 tokens, but the target's context holds 128 and one has to be left to "
        + "generate; shorten it")
    // With the begin token, the longest one that fits generates one token.
    let result = try CommandProcess(
      ["generate", "--prompt", String(repeating: "a", count: 126), "--json"],
      environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
    #expect(result.status == 0)
    #expect(result.output.contains(#""emitted_tokens":1,"#))
  }

  @Test(arguments: [
    ("vocabulary", "a vocabulary of 300, but this target has 261"),
    ("hidden", "width 48, but this target has 32"),
    ("layers", "a number of layers of 3, but this target has 2"),
  ])
  func aDrafterMadeForAnotherTarget(what: String, difference: String) throws {
    var other = TinyPair.Sizes()
    switch what {
    case "vocabulary": other.vocabulary = 300
    case "hidden": other.hidden = 48
    default: other.layers = 3
    }
    let pair = try TinyPair(drafterSizes: other)
    defer { pair.remove() }
    try expectFailure(
      ["--prompt", "a"], weights: pair.folder,
      "the drafter was made for a target with \(difference): use a drafter made for this target, or "
        + "none")
  }

  /// Damages a target's weights file, and expects one line that names the file.
  private func expectDamage(
    _ damage: (inout Data) -> Void, _ words: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let file = pair.target.appending(path: "model.safetensors")
    var data = try Data(contentsOf: file)
    damage(&data)
    try data.write(to: file)
    let result = try CommandProcess(
      ["generate", "--prompt", "a"], environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
    #expect(result.status == 1, sourceLocation: sourceLocation)
    #expect(result.errors.hasPrefix("error: "), sourceLocation: sourceLocation)
    #expect(
      result.errors.split(separator: "\n").count == 1, "\(result.errors)",
      sourceLocation: sourceLocation)
    #expect(
      result.errors.contains(file.path) && result.errors.contains(words), "\(result.errors)",
      sourceLocation: sourceLocation)
  }

  @Test func damagedWeights() throws {
    try expectDamage({ $0.removeAll() }, "empty")
    try expectDamage({ $0.removeLast(1) }, "bytes")
    try expectDamage({ $0.removeLast($0.count / 2) }, "bytes")
    try expectDamage({ $0 = $0.prefix(40) }, "bytes")
    try expectDamage({ $0[7] = 0xFF }, "header")
    try expectDamage({ $0[9] = 0x00 }, "header")
  }

  @Test func weightsAndConfigurationThatDisagree() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let file = pair.target.appending(path: "config.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    for (was, becomes) in [
      (#""intermediate_size":48"#, #""intermediate_size":64"#),
      (#""num_hidden_layers":2"#, #""num_hidden_layers":3"#),
      (#""num_hidden_layers":2"#, #""num_hidden_layers":1"#),
      (#""vocab_size":261"#, #""vocab_size":262"#),
      (#""Qwen3ForCausalLM""#, #""GPT2LMHeadModel""#),
      (#""head_dim":16"#, #""head_dim":-16"#),
      (#""vocab_size":261"#, #""vocab_size":"many""#),
      ("{", ""),
    ] {
      let changed = text.replacing(was, with: becomes)
      #expect(changed != text)
      try Data(changed.utf8).write(to: file)
      let result = try CommandProcess(
        ["generate", "--prompt", "a"], environment: ["SPECULATE_WEIGHTS": pair.folder.path]
      ).wait()
      #expect(result.status == 1, "\(becomes)")
      #expect(result.errors.hasPrefix("error: "), "\(becomes)")
      #expect(result.errors.split(separator: "\n").count == 1, "\(becomes): \(result.errors)")
      #expect(result.errors.contains(pair.target.path), "\(becomes): \(result.errors)")
    }
  }
}
