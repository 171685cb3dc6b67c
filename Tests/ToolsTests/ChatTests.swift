import Foundation
import Testing

/// Chats of an instruction model: generated from, compared and distilled.
@Suite struct ChatTests {
  private let pair: TinyPair

  init() throws {
    pair = try TinyPair()
    try pair.addChatTemplate()
  }

  private func generate(_ arguments: String...) throws -> CommandResult {
    try generate(arguments)
  }

  private func generate(_ arguments: [String]) throws -> CommandResult {
    try CommandProcess(
      ["generate", "--max-tokens", "20"] + arguments,
      environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
  }

  private func json(_ text: some StringProtocol) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func write(_ name: String, _ lines: String...) throws -> String {
    let file = pair.folder.appending(path: name)
    try Data(lines.joined(separator: "\n").utf8).write(to: file)
    return file.path
  }

  @Test func aPromptIsWhatTheUserSays() throws {
    defer { pair.remove() }
    let result = try json(generate("--chat", "--prompt", " Hi ", "--json").output)
    #expect(result["prompt"] as? String == "<s>[u]Hi</s>[a]")
    let told = try json(
      generate("--chat", "--system", "Be brief.", "--prompt", "Hi", "--json").output)
    #expect(told["prompt"] as? String == "<s>[s]Be brief.</s>[u]Hi</s>[a]")
    // One begin token, and ends of turns as tokens: as many tokens as the text has, and no more.
    let statistics = try #require(result["statistics"] as? [String: Any])
    #expect(statistics["prompt_tokens"] as? Int == 1 + 5 + 1 + 3)
    let plain = try json(generate("--prompt", "Hi", "--json").output)
    #expect(plain["prompt"] as? String == "Hi")
    #expect(plain["ids"] as? [Int] != result["ids"] as? [Int])
  }

  @Test func templatesAreChosenAndTakeValues() throws {
    defer { pair.remove() }
    let file = try write(
      "own.jinja", "{{ bos_token }}{% if loud %}!{% endif %}{{ messages[0].content }}")
    let chats = try write(
      "chats.jsonl", #"{"messages":[{"role":"user","content":"a"}]}"#,
      #"{"messages":[{"role":"user","content":"b"}],"chat_template_kwargs":{"loud":false}}"#)
    let result = try generate(
      "--prompt-file", chats, "--json", "--chat-template", file, "--chat-template-kwargs",
      #"{"loud": true}"#)
    #expect(
      try result.output.split(separator: "\n").map { try json($0)["prompt"] as? String }
        == ["<s>!a", "<s>b"])
    let bare = try json(
      generate(
        "--chat", "--prompt", "Hi", "--json", "--chat-template-kwargs",
        #"{"add_generation_prompt": false}"#
      ).output)
    #expect(bare["prompt"] as? String == "<s>[u]Hi</s>")
    let unknown = try generate("--chat", "--prompt", "Hi", "--chat-template", "none")
    #expect(
      unknown.status != 0
        && unknown.errors.contains(
          #"--chat-template "none" is neither a file nor a template of the model, which has default"#
        ))
    for (values, complaint) in [
      ("[1]", "--chat-template-kwargs are no JSON object"), ("{x", "--chat-template-kwargs"),
      (#"{"messages": 1}"#, #"--chat-template-kwargs can't set "messages""#),
    ] {
      let wrong = try generate(
        "--chat", "--prompt", "Hi", "--chat-template-kwargs", values)
      #expect(wrong.status != 0 && wrong.errors.contains(complaint), "\(wrong.errors)")
    }
  }

  /// The spelling of a special token is one id unless it is asked to be text, in prompts and in chats.
  @Test func specialTokensAreTokensOrText() throws {
    defer { pair.remove() }
    func tokens(_ arguments: [String]) throws -> Int {
      let result = try json(generate(arguments + ["--json"]).output)
      let statistics = try #require(result["statistics"] as? [String: Any])
      return try #require(statistics["prompt_tokens"] as? Int)
    }
    // The tokenizer knows single bytes and its special tokens.
    let (one, four) = (1, "</s>".utf8.count)
    for chat in [["--prompt"], ["--chat", "--prompt"]] {
      let parsed = try tokens(chat + ["a</s>b"])
      #expect(try tokens(chat + ["a</s>b", "--parse-special"]) == parsed)
      #expect(try tokens(chat + ["a</s>b", "--no-parse-special"]) == parsed - one + four)
      #expect(try tokens(chat + ["ab", "--no-parse-special"]) == parsed - one)
    }
  }

  /// What a folder proposes to sample is said once, and not where options say how.
  @Test func samplingThatIsProposedIsSaid() throws {
    defer { pair.remove() }
    let file = pair.target.appending(path: "generation_config.json")
    try Data(#"{"do_sample": true, "temperature": 0.6, "top_p": 0.9}"#.utf8).write(to: file)
    let notice =
      "note: \(file.path): do_sample, temperature, top_p: temperature 0.6, top_p 0.9 is proposed and not "
      + "applied; decoding is greedy unless --temperature says otherwise\n"
    let result = try generate("--prompt", "Hi")
    #expect(result.status == 0 && result.errors.contains(notice), "\(result.errors)")
    let told = try generate("--prompt", "Hi", "--temperature", "0.5")
    #expect(told.status == 0 && !told.errors.contains("note:"), "\(told.errors)")
  }

  @Test func filesHoldChats() throws {
    defer { pair.remove() }
    let file = try write(
      "chats.jsonl",
      #"""
      {"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},\#
      {"role":"user","content":"c"},{"role":"assistant","content":"the answer of others"}]}
      """#, #"{"turns":["first","second"]}"#, #"{"prompt":"as it stands"}"#)
    let plain = try generate("--prompt-file", file, "--json")
    let texts = try plain.output.split(separator: "\n").map { try json($0)["prompt"] as? String }
    #expect(
      texts == [
        "<s>[u]a</s>[a]b</s>[u]c</s>[a]the answer of others", "<s>[u]first</s>[a]", "as it stands",
      ])
    let chat = try generate("--prompt-file", file, "--json", "--chat", "--system", "S")
    #expect(
      try chat.output.split(separator: "\n").map { try json($0)["prompt"] as? String } == [
        "<s>[s]S</s>[u]a</s>[a]b</s>[u]c</s>[a]the answer of others",
        "<s>[s]S</s>[u]first</s>[a]", "<s>[s]S</s>[u]as it stands</s>[a]",
      ])
    let compared = try generate("--prompt-file", file, "--chat", "--compare", "--repeats", "1")
    #expect(compared.status == 0, "\(compared.errors)")
    #expect(compared.lastLine.hasPrefix("identical yes"))
    let measured = try CommandProcess(
      ["bench", "decode", "--prompt-file", file, "--rounds", "1", "--max-tokens", "8"],
      environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
    #expect(measured.status == 0, "\(measured.errors)")
  }

  /// An answer that was begun goes on where it stands; content in parts is the text of the parts.
  @Test func aBegunAnswerGoesOn() throws {
    defer { pair.remove() }
    let file = try write(
      "chats.jsonl",
      #"{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"well"}]}"#,
      #"{"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}"#)
    let texts = try generate("--prompt-file", file, "--json").output.split(separator: "\n")
      .map { try json($0)["prompt"] as? String }
    #expect(texts == ["<s>[u]hi</s>[a]well", "<s>[u]hi</s>[a]"])
    let image = try write(
      "image.jsonl", #"{"messages":[{"role":"user","content":[{"type":"image","url":"x"}]}]}"#)
    let refused = try generate("--prompt-file", image)
    #expect(
      refused.status == 1 && refused.errors.contains("the type \"image\""), "\(refused.errors)")
  }

  /// The tokenizer's end token ends an answer, but no text, where the model's files name another.
  @Test func theEndOfATurnEndsTheAnswer() throws {
    defer { pair.remove() }
    let file = pair.target.appending(path: "config.json")
    var configuration = try json(String(contentsOf: file, encoding: .utf8))
    configuration["eos_token_id"] = TinyTokenizer.mask
    try JSONSerialization.data(withJSONObject: configuration).write(to: file)
    func ids(_ arguments: [String]) throws -> [Int] {
      let result = try CommandProcess(
        ["generate", "--json", "--max-tokens", "100", "--temperature", "2"] + arguments,
        environment: ["SPECULATE_WEIGHTS": pair.folder.path]
      ).wait()
      return try json(result.output)["ids"] as? [Int] ?? []
    }
    for (option, isChat) in [("--chat", true), ("--remeasure", false)] {
      var isFound = false
      for seed in 1...40 where !isFound {
        let arguments = ["--prompt", "Hi", "--seed", "\(seed)", option]
        let whole = try ids(arguments + ["--ignore-end"])
        // Some answer holds the token by chance, before the model's own end.
        guard let place = whole.firstIndex(of: TinyTokenizer.end), place < whole.count - 1,
          !whole[...(place + 1)].contains(TinyTokenizer.mask)
        else { continue }
        isFound = true
        #expect((try ids(arguments).count == place + 1) == isChat)
      }
      #expect(isFound)
    }
  }

  @Test func modelsThatCannotChat() throws {
    defer { pair.remove() }
    let file = try write(
      "chats.jsonl", #"{"prompt":"a"}"#, #"{"messages":[{"role":"odd","content":"a"}]}"#)
    let configuration = pair.target.appending(path: "tokenizer_config.json")
    #expect(
      try generate("--prompt-file", file).errors
        == "error: \(file) line 2 is a chat: \(configuration.path): chat_template: template line 2: "
        + "the template refuses this: No odd\n")
    try Data("{}".utf8).write(to: configuration)
    let without =
      "\(pair.target.path) has no chat template, neither chat_template.jinja nor a "
      + "\"chat_template\" in tokenizer_config.json; give an instruction model's folder, or prompts "
      + "that are no chats"
    #expect(
      try generate("--prompt-file", file).errors == "error: \(file) line 2 is a chat: \(without)\n")
    let asked = try generate("--chat", "--prompt", "Hi")
    #expect(asked.status == 1 && asked.output == "")
    #expect(asked.errors == "error: the prompt is a chat: \(without)\n")
    let system = try generate("--system", "S", "--prompt", "Hi")
    #expect(system.status == 64)
    #expect(system.errors.hasPrefix("error: --system belongs to --chat: give both"))
  }

  @Test func chatsAreAnsweredAndLearnt() throws {
    defer { pair.remove() }
    let long = String(repeating: "x", count: 200)
    let file = try write(
      "chats.jsonl", #"{"messages":[{"role":"user","content":"abc"}]}"#,
      #"{"turns":["def","ghi"]}"#, #"{"prompt":"jkl"}"#, #"{"turns":["\#(long)"]}"#)
    let common = [
      "--target", pair.target.path, "--data", file, "--longest-prompt", "24",
      "--response-length", "20", "--responses", "9",
    ]
    let answers = pair.folder.appending(path: "answers").path
    func data() throws -> CommandResult {
      try CommandProcess(["distill", "data"] + common + ["--output", answers]).wait()
    }
    let made = try data()
    #expect(made.status == 0, "\(made.errors)")
    #expect(made.errors.contains("1 chat is longer than --longest-prompt: left out\n"))
    #expect(made.errors.contains("9 responses of "))
    // Another template makes other prompts of the same file.
    let configuration = pair.target.appending(path: "tokenizer_config.json")
    let text = try String(contentsOf: configuration, encoding: .utf8)
    try Data(text.replacing("[a]", with: "[b]").utf8).write(to: configuration)
    #expect(try data().status == 1)
    try Data(text.utf8).write(to: configuration)
    #expect(try data().status == 0)
    let learnt = try CommandProcess(
      ["distill", "train"] + common + [
        "--heldout", file, "--evaluation-length", "20", "--layers", "1", "--block-size", "4",
        "--mask-token",
        "\(TinyTokenizer.mask)", "--steps", "3", "--draft-vocabulary", "50", "--output",
        pair.folder.appending(path: "learnt").path,
      ]
    ).wait()
    #expect(learnt.status == 0, "\(learnt.errors)")
    let forced = try CommandProcess(
      ["force", "data"] + common + [
        "--block", "4", "--output", pair.folder.appending(path: "trajectories").path,
      ]
    ).wait()
    #expect(forced.status == 0, "\(forced.errors)")
    try FileManager.default.removeItem(at: configuration)
    let refused = try data()
    #expect(refused.status == 1)
    #expect(
      refused.errors.hasPrefix(
        "error: \(file): line 1: \(pair.target.path) has no chat template, neither"))
    #expect(refused.errors.split(separator: "\n").count == 1)
  }
}
