import Files
import Foundation
import Server
import Testing

/// `speculate serve` and `speculate bench serve` as processes.
@Suite struct ServeTests {
  private let pair: TinyPair

  init() throws {
    pair = try TinyPair()
    try pair.addChatTemplate()
  }

  /// Starts a server on a free port and waits until it serves.
  private func start(_ arguments: String...) throws -> (process: CommandProcess, port: Int) {
    let process = try CommandProcess(
      ["serve", "--port", "0"] + arguments,
      environment: ["SPECULATE_WEIGHTS": pair.folder.path, "SPECULATE_API_KEY": ""])
    let watch = Stopwatch()
    while watch.elapsed < 60 {
      let said = process.errors
      if said.contains("\nserving "),
        let port = said.firstMatch(of: /listening on http:\/\/127.0.0.1:(\d+)\//)
      {
        return (process, try #require(Int(port.1)))
      }
      Thread.sleep(forTimeInterval: 0.02)
    }
    process.kill()
    throw SpeculateError("the server doesn't serve: \(process.errors)")
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

  @Test func aLoadIsMeasured() throws {
    defer { pair.remove() }
    let prompts = pair.folder.appending(path: "prompts.jsonl")
    try Data(
      (0..<6).map { #"{"prompt":"abc\#($0)"}"# }.joined(separator: "\n")
        .appending("\n{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}").utf8
    ).write(to: prompts)
    let (server, port) = try start()
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
        #expect(values.count == 3 && values == values.sorted() && values[0] > 0, "\(name)")
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
}
