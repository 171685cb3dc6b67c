import Files
import Foundation
import Server
import Testing

/// `speculate serve` as a process.
@Suite struct ServeTests {
  private let pair: TinyPair

  init() throws {
    pair = try TinyPair()
    try pair.addChatTemplate()
  }

  private func start(_ arguments: String...) throws -> (process: CommandProcess, port: Int) {
    try pair.serve(arguments)
  }

  private func complete(
    _ port: Int, _ body: String, headers: [String: String] = [:]
  ) throws -> (status: Int, json: JSONValue) {
    let connection = try HTTPConnection(host: "127.0.0.1", port: port)
    try connection.send("POST", "/v1/completions", headers: headers, body: body)
    let head = try connection.readHead()
    return (head.status, try JSONValue(parsing: connection.readBody()))
  }

  @Test func answersAreThoseOfGenerate() throws {
    defer { pair.remove() }
    let (server, port) = try start("--json")
    let (status, answer) = try complete(
      port, #"{"prompt":"abc","temperature":0,"max_tokens":20}"#)
    #expect(status == 200)
    let alone = try CommandProcess(
      ["generate", "--prompt", "abc", "--max-tokens", "20", "--json"],
      environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
    let text = try JSONValue(parsing: alone.lastLine)["text"]
    #expect(answer["choices"]?.elements?.first?["text"] == text)
    #expect(answer["system_fingerprint"]?.text?.hasPrefix("fp_") == true)
    // It leaves when it is asked to, and that is no failure.
    server.interrupt(SIGTERM)
    let result = try server.wait()
    #expect(result.status == 0 && result.output == "")
    let log = result.errors.split(separator: "\n").filter { $0.hasPrefix("{") }
    let line = try JSONValue(parsing: String(try #require(log.first)))
    #expect(line["path"] == .string("/v1/completions") && line["status"] == .integer(200))
    #expect(line["completion_tokens"] == .integer(20))
    #expect(!result.errors.contains("abc"))
  }

  @Test func keysComeFromFiles() throws {
    defer { pair.remove() }
    let file = pair.folder.appending(path: "keys")
    try Data("one\n\n hidden-key \n".utf8).write(to: file)
    let (server, port) = try start("--api-key-file", file.path, "--log-prompts")
    let body = #"{"prompt":"abc","max_tokens":1}"#
    #expect(try complete(port, body).status == 401)
    #expect(try complete(port, body, headers: ["Authorization": "Bearer hidden-key"]).status == 200)
    server.interrupt()
    let result = try server.wait()
    #expect(result.status == 0)
    #expect(result.errors.contains("text=abc") && !result.errors.contains("hidden-key"))
  }

  /// A GGUF file brings its template and its ends of turns, and answers as the folder that it was made of.
  @Test func aFileChatsLikeItsFolder() throws {
    defer { pair.remove() }
    let file = pair.folder.appending(path: "small.gguf")
    let made = try CommandProcess(
      ["convert", pair.target.path, file.path, "--weights", "f32"]
    ).wait()
    #expect(made.status == 0, "\(made.errors)")
    var answers: [[String]] = []
    for target in [pair.target, file] {
      let (server, port) = try start("--target", target.path, "--drafter", "suffix")
      let connection = try HTTPConnection(host: "127.0.0.1", port: port)
      try connection.send("GET", "/v1/models")
      _ = try connection.readHead()
      let model = try JSONValue(parsing: connection.readBody())["data"]?.elements?.first
      #expect(model?["id"]?.text == target.deletingPathExtension().lastPathComponent)
      #expect(model?["speculate"]?["chat"] == .bool(true))
      var texts: [String] = []
      for (text, fields) in [("Hi", #""temperature":0"#), ("You", #""seed":4"#)] {
        try connection.send(
          "POST", "/v1/chat/completions",
          body: #"{"messages":[{"role":"user","content":"\#(text)"}],"max_tokens":40,\#(fields)}"#)
        #expect(try connection.readHead().status == 200)
        let answer = try JSONValue(parsing: connection.readBody())
        let choice = try #require(answer["choices"]?.elements?.first)
        texts.append(try #require(choice["message"]?["content"]?.text))
        texts.append(try #require(choice["finish_reason"]?.text))
        let details = try #require(answer["usage"]?["completion_tokens_details"])
        for name in ["accepted_prediction_tokens", "rejected_prediction_tokens"] {
          #expect(details[name]?.integer ?? -1 >= 0)
        }
      }
      answers.append(texts)
      server.interrupt()
      let result = try server.wait()
      #expect(result.status == 0)
      // What loading found is told once.
      let lines = result.errors.split(separator: "\n")
      #expect(Set(lines).count == lines.count, "\(result.errors)")
    }
    #expect(answers[0] == answers[1] && !answers[0].contains(""))
  }

  @Test func otherNamesAreAnsweredOnlyIfAllowed() throws {
    defer { pair.remove() }
    let (server, port) = try start("--allowed-hosts", "model.example", "--allowed-hosts", "proxy")
    let body = #"{"prompt":"abc","max_tokens":1}"#
    for (host, status) in [
      ("model.example", 200), ("proxy:8080", 200), ("localhost", 200), ("evil.example", 403),
    ] {
      #expect(try complete(port, body, headers: ["Host": host]).status == status, "\(host)")
    }
    server.interrupt()
    #expect(try server.wait().status == 0)
  }

  @Test func aSecondSignalEndsAtOnce() throws {
    defer { pair.remove() }
    let (server, port) = try start()
    // An answer that nobody reads keeps the server from leaving.
    let connection = try HTTPConnection(host: "127.0.0.1", port: port, receiveBuffer: 1 << 15)
    try connection.send(
      "POST", "/v1/completions",
      body: #"{"prompt":"a","max_tokens":120,"ignore_eos":true,"stream":true,"n":16,"logprobs":20}"#
    )
    #expect(try connection.readHead().status == 200)
    server.interrupt(SIGTERM)
    while !server.errors.contains("leaving") { Thread.sleep(forTimeInterval: 0.01) }
    server.interrupt(SIGTERM)
    #expect(try server.wait().status == -SIGTERM)
  }

  @Test func mistakesAreToldBeforeAnythingIsServed() throws {
    defer { pair.remove() }
    let (server, port) = try start()
    let taken = try CommandProcess(
      ["serve", "--port", "\(port)"], environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
    #expect(taken.status == 1)
    #expect(
      taken.errors.contains(
        "error: can't listen on --host 127.0.0.1, --port \(port): Address already in use"))
    server.interrupt()
    _ = try server.wait()
    // What is wrong with the model's files ends the server that listens already.
    let weights = pair.target.appending(path: "model.safetensors")
    let content = try Data(contentsOf: weights)
    try content.prefix(100).write(to: weights)
    let damaged = try CommandProcess(
      ["serve", "--port", "0"], environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
    #expect(
      damaged.status == 1 && damaged.errors.contains("model.safetensors"), "\(damaged.errors)")
    try content.write(to: weights)
    for (arguments, complaint) in [
      (["--port", "70000"], "--port 70000 is out of range: use 0 to 65535"),
      (["--max-sequences", "0"], "--max-sequences 0 is out of range"),
      (["--answer-timeout", "0"], "--answer-timeout 0.0 is out of range"),
      (["--api-key", "a", "--api-key-file", "b"], "give one of them"),
      (["--api-key", "a b"], "--api-key holds a key that no header can"),
      (["--api-key-file", "/no/such"], "--api-key-file /no/such: No such file"),
      (["--target", "/no/such"], "--target /no/such: there is no such folder"),
      (["--drafter", "none", "--branches", "1"], "--branches means nothing with --drafter none"),
    ] {
      let result = try CommandProcess(
        ["serve"] + arguments,
        environment: ["SPECULATE_WEIGHTS": pair.folder.path]
      ).wait()
      #expect(result.status != 0 && result.errors.contains(complaint), "\(result.errors)")
    }
  }
}
