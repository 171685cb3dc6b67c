import Files
import Foundation
import Server
import Speculate
import Testing

/// Every status that the server answers with, and OpenAI's shape of errors.
@Suite struct StatusTests {
  private static let message = #""messages":[{"role":"user","content":"a"}]"#

  /// Requests whose fields are wrong, and the field that the answer names.
  static let wrong: [(path: String, body: String, parameter: String?)] = [
    ("/v1/chat/completions", "", nil),
    ("/v1/chat/completions", "[1]", nil),
    ("/v1/chat/completions", #"{"messages":"a"#, nil),
    ("/v1/chat/completions", String(repeating: "[", count: 5000), nil),
    ("/v1/chat/completions", "{}", "messages"),
    ("/v1/chat/completions", #"{"messages":{}}"#, "messages"),
    ("/v1/chat/completions", #"{"messages":[]}"#, "messages"),
    ("/v1/chat/completions", #"{"messages":[1]}"#, "messages[0]"),
    ("/v1/chat/completions", #"{"messages":[{"content":"a"}]}"#, "messages[0].role"),
    ("/v1/chat/completions", #"{"messages":[{"role":"user"}]}"#, "messages[0].content"),
    ("/v1/chat/completions", #"{"messages":[{"role":"user","content":1}]}"#, "messages[0].content"),
    (
      "/v1/chat/completions",
      #"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}"#,
      "messages[0].content[0].type"
    ),
    ("/v1/chat/completions", #"{"messages":[{"role":"robot","content":"a"}]}"#, "messages"),
    (
      "/v1/chat/completions",
      #"{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{"}}]}]}"#,
      "messages[0].tool_calls[0].function.arguments"
    ),
    ("/v1/chat/completions", "{\(message),\"temperature\":\"hot\"}", "temperature"),
    ("/v1/chat/completions", "{\(message),\"temperature\":-1}", "temperature"),
    ("/v1/chat/completions", "{\(message),\"temperature\":0.001}", "temperature"),
    ("/v1/chat/completions", "{\(message),\"temperature\":1e999}", "temperature"),
    ("/v1/chat/completions", "{\(message),\"top_p\":0}", "top_p"),
    ("/v1/chat/completions", "{\(message),\"top_k\":1.5}", "top_k"),
    ("/v1/chat/completions", "{\(message),\"min_p\":2}", "min_p"),
    ("/v1/chat/completions", "{\(message),\"n\":0}", "n"),
    ("/v1/chat/completions", "{\(message),\"n\":1000000}", "n"),
    ("/v1/chat/completions", "{\(message),\"max_tokens\":0}", "max_tokens"),
    (
      "/v1/chat/completions", "{\(message),\"max_tokens\":1,\"max_completion_tokens\":2}",
      "max_tokens"
    ),
    ("/v1/chat/completions", "{\(message),\"stop\":[\"a\",1]}", "stop"),
    ("/v1/chat/completions", "{\(message),\"stop\":\"\"}", "stop"),
    (
      "/v1/chat/completions",
      "{\(message),\"stop\":[\(Array(repeating: "\"a\"", count: 17).joined(separator: ","))]}",
      "stop"
    ),
    ("/v1/chat/completions", "{\(message),\"seed\":\"a\"}", "seed"),
    ("/v1/chat/completions", "{\(message),\"presence_penalty\":3}", "presence_penalty"),
    ("/v1/chat/completions", "{\(message),\"frequency_penalty\":[]}", "frequency_penalty"),
    ("/v1/chat/completions", "{\(message),\"repetition_penalty\":0}", "repetition_penalty"),
    ("/v1/chat/completions", "{\(message),\"logit_bias\":{\"x\":1}}", "logit_bias"),
    ("/v1/chat/completions", "{\(message),\"logit_bias\":{\"9999999\":1}}", "logit_bias"),
    ("/v1/chat/completions", "{\(message),\"logit_bias\":{\"5\":1000}}", "logit_bias.5"),
    ("/v1/chat/completions", "{\(message),\"logprobs\":1}", "logprobs"),
    ("/v1/chat/completions", "{\(message),\"top_logprobs\":2}", "top_logprobs"),
    ("/v1/chat/completions", "{\(message),\"logprobs\":true,\"top_logprobs\":21}", "top_logprobs"),
    ("/v1/chat/completions", "{\(message),\"stream\":\"yes\"}", "stream"),
    (
      "/v1/chat/completions", "{\(message),\"stream_options\":{\"include_usage\":true}}",
      "stream_options"
    ),
    (
      "/v1/chat/completions", "{\(message),\"response_format\":{\"type\":\"yaml\"}}",
      "response_format.type"
    ),
    ("/v1/chat/completions", "{\(message),\"tool_choice\":\"required\"}", "tool_choice"),
    ("/v1/chat/completions", "{\(message),\"tools\":[{}]}", "tools[0]"),
    ("/v1/chat/completions", "{\(message),\"functions\":[{}]}", "functions"),
    (
      "/v1/chat/completions", "{\(message),\"chat_template_kwargs\":{\"messages\":1}}",
      "chat_template_kwargs"
    ),
    (
      "/v1/chat/completions", "{\(message),\"continue_final_message\":true}",
      "continue_final_message"
    ),
    ("/v1/chat/completions", "{\(message),\"prediction\":{\"type\":\"x\"}}", "prediction.type"),
    ("/v1/chat/completions", "{\(message),\"guided_regex\":\"(\"}", "guided_regex"),
    ("/v1/completions", "{}", "prompt"),
    ("/v1/completions", #"{"prompt":1}"#, "prompt"),
    ("/v1/completions", #"{"prompt":[]}"#, "prompt"),
    ("/v1/completions", #"{"prompt":""}"#, "prompt"),
    ("/v1/completions", #"{"prompt":["a",1]}"#, "prompt"),
    ("/v1/completions", #"{"prompt":[1,"a"]}"#, "prompt"),
    ("/v1/completions", #"{"prompt":[-1]}"#, "prompt"),
    ("/v1/completions", #"{"prompt":[100000]}"#, "prompt"),
    ("/v1/completions", #"{"prompt":[[]]}"#, nil),
    ("/v1/completions", #"{"prompt":"a","suffix":"b"}"#, "suffix"),
    ("/v1/completions", #"{"prompt":"a","best_of":2}"#, "best_of"),
    ("/v1/completions", #"{"prompt":"a","logprobs":21}"#, "logprobs"),
    ("/v1/completions", #"{"prompt":"a","max_tokens":-1}"#, "max_tokens"),
    (
      "/v1/completions", "{\"prompt\":\"\(String(repeating: "x", count: 600))\"}", "prompt"
    ),
    ("/tokenize", "{}", "prompt"),
    ("/detokenize", #"{"tokens":[99999]}"#, "tokens"),
    ("/detokenize", #"{"tokens":"a"}"#, "tokens"),
  ]

  @Test func wrongFieldsAreNamed() async throws {
    try await withServer(TinyService.make()) { server in
      for (path, body, parameter) in Self.wrong {
        let answer = try server.post(path, body)
        let label: Comment = "\(body.prefix(120)): \(answer.text)"
        #expect(answer.status == 400, label)
        #expect(answer.error("param") == (parameter.map(JSONValue.string) ?? .null), label)
        #expect(answer.error("type") == .string("invalid_request_error"), label)
        let message = answer.error("message")?.text ?? ""
        #expect(!message.isEmpty && !message.contains("\n"), label)
        #expect(answer.error("code")?.text != nil, label)
      }
    }
  }

  @Test func unknownFieldsAreIgnoredAndNullsAreAbsent() async throws {
    try await withServer(TinyService.make()) { server in
      let plain = try server.chat("\(Self.message),\"seed\":3,\"max_tokens\":5")
      let other = try server.chat(
        "\(Self.message),\"seed\":3,\"max_tokens\":5,\"user\":\"u\",\"store\":false,\"foo\":{\"a\":[1]},"
          + "\"top_p\":null,\"stop\":null,\"logit_bias\":null,\"best_of\":1,\"tools\":null")
      #expect(plain.status == 200)
      #expect(plain.content != nil && plain.content == other.content)
    }
  }

  @Test func badBytesAreRefused() async throws {
    try await withServer(TinyService.make()) { server in
      for bytes: [UInt8] in [
        [0xFF, 0xFE], Array("{\"prompt\":\"".utf8) + [0xC3] + Array("\"}".utf8),
      ] {
        let connection = try server.connect()
        try connection.send(
          Array(
            "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(bytes.count)\r\n\r\n"
              .utf8) + bytes)
        #expect(try connection.readHead().status == 400)
      }
      // What is no HTTP at all ends the connection, and hurts nobody else.
      let connection = try server.connect()
      try connection.send(Array("\u{1}\u{2}nonsense\r\n\r\n".utf8))
      #expect(try connection.readHead().status == 400)
      #expect(try server.ask("GET", "/health").status == 200)
    }
  }

  @Test func pathsAndMethods() async throws {
    try await withServer(TinyService.make()) { server in
      #expect(try server.ask("GET", "/nothing").status == 404)
      #expect(try server.ask("GET", "/../etc/passwd").status == 404)
      #expect(try server.ask("GET", "/v1/models/").status == 200)
      let get = try server.ask("GET", "/v1/chat/completions")
      #expect(get.status == 405 && get.headers["allow"] == "POST")
      let put = try server.ask("DELETE", "/health")
      #expect(put.status == 405 && put.headers["allow"] == "GET, HEAD")
      let head = try server.ask("HEAD", "/health")
      #expect(head.status == 200 && head.bytes.isEmpty)
      let model = try server.chat("\(Self.message),\"model\":\"gpt-4\"")
      #expect(model.status == 404 && model.error("code") == .string("model_not_found"))
      #expect(model.error("param") == .string("model"))
      #expect(try server.ask("GET", "/version").json?["version"] == .string("test"))
      #expect(
        try server.ask("GET", "/v1/models").json?["data"]?.elements?.first?["id"]
          == .string("tiny"))
    }
  }

  @Test func bodies() async throws {
    try await withServer(TinyService.make()) {
      $0.limits.body = 1000
      $0.limits.bodySeconds = 0.2
    } _: { server in
      let large = try server.post("/v1/completions", String(repeating: " ", count: 2000))
      #expect(large.status == 413)
      // Without a length it is noticed as it comes.
      let chunked = try server.connect()
      try chunked.send(
        Array(
          "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n"
            .utf8))
      try chunked.send(Array(repeating: 0x20, count: 2000))
      let head = try chunked.readHead()
      #expect(head.status == 413 && head.headers["connection"] == "close")
      for type in [
        "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "",
      ] {
        let answer = try server.ask(
          "POST", "/v1/completions", "{}", headers: ["Content-Type": type])
        #expect(answer.status == 415, "\(type)")
      }
      let zipped = try server.ask(
        "POST", "/v1/completions", "{}", headers: ["Content-Encoding": "gzip"])
      #expect(zipped.status == 415)
      // Half a body, and then nothing.
      let half = try server.connect()
      try half.send(
        Array(
          "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"pro"
            .utf8))
      #expect(try half.readHead().status == 408)
      _ = try half.readBody()
      #expect(half.isClosedByServer())
      #expect(try server.ask("GET", "/health").status == 200)
    }
  }

  @Test func aModelThatLoadsAndAServerThatLeaves() async throws {
    try await withServer(nil) { server in
      let health = try server.ask("GET", "/health")
      #expect(health.status == 503 && health.headers["retry-after"] == "5")
      #expect(try server.chat(Self.message).status == 503)
      #expect(try server.ask("GET", "/metrics").status == 200)
      server.state.serve(try TinyService.make())
      #expect(try server.ask("GET", "/health").status == 200)
    }
  }

  @Test func tooManyWait() async throws {
    let settings = BatchSettings(maximumSequences: 1, queueLimit: 0, streamLimit: 4)
    try await withServer(TinyService.make(settings: settings)) { server in
      // A reader that takes nothing keeps its place.
      let first = try server.connect(isSlow: true)
      try first.send(
        "POST", "/v1/completions",
        body: #"{"prompt":"a","stream":true,"max_tokens":500,"ignore_eos":true,"logprobs":20}"#)
      #expect(try first.readHead().status == 200)
      try server.wait { $0.generator.metrics.paused == 1 }
      let refused = try server.complete(#""prompt":"b""#)
      #expect(refused.status == 429 && refused.error("type") == .string("rate_limit_error"))
      #expect(refused.headers["retry-after"].flatMap { Int($0) } ?? 0 >= 1)
      first.close()
      try server.wait { $0.generator.metrics.running == 0 }
      #expect(try server.complete(#""prompt":"b""#).status == 200)
    }
  }

  @Test func anAnswerThatTakesTooLong() async throws {
    try await withServer(TinyService.make()) {
      $0.limits.answerSeconds = 0.000_001
    } _: { server in
      let fields = #""prompt":"a","max_tokens":500,"ignore_eos":true"#
      let whole = try server.complete(fields)
      #expect(whole.status == 408 && whole.error("code") == .string("request_timeout"))
      let events = try server.stream("/v1/completions", fields)
      #expect(events.last?.contains("request_timeout") == true)
      try server.wait { $0.generator.metrics.running == 0 }
    }
  }
}
