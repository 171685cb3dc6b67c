import Files
import Foundation
import Server
import Speculate
import Testing

/// Clients that go away, that don't read, and that stop in the middle.
@Suite struct ConnectionTests {
  /// An answer that goes on for as long as the context does.
  private static let long = #""prompt":"a","max_tokens":480,"ignore_eos":true,"temperature":0"#

  /// The same with so much told of each token that nobody's buffers hold it.
  private static let large = long + #","logprobs":20,"n":4"#

  @Test func aClientThatGoesAwayFreesItsSequence() async throws {
    try await withServer(TinyService.make()) { server in
      for isStream in [false, true] {
        for reset in [false, true] {
          let connection = try server.connect()
          try connection.send(
            "POST", "/v1/completions", body: "{\(Self.large),\"stream\":\(isStream)}")
          if isStream { #expect(try connection.readHead().status == 200) }
          if reset { connection.abort() } else { connection.close() }
          try server.wait { $0.generator.metrics.running == 0 && $0.generator.metrics.waiting == 0 }
        }
      }
      #expect(try server.ask("GET", "/health").status == 200)
    }
  }

  @Test func aSlowReaderHoldsNobody() async throws {
    // They are more than there are places, which they give to others.
    let settings = BatchSettings(maximumSequences: 4, streamLimit: 8)
    let alone = try TinyService.alone().generate(
      "b", parameters: GenerationParameters(maximumTokens: 16))
    try await withServer(TinyService.make(settings: settings)) { server in
      var slow: [HTTPConnection] = []
      for _ in 0..<2 {
        let connection = try server.connect(isSlow: true)
        try connection.send(
          "POST", "/v1/completions", body: "{\(Self.large),\"stream\":true}")
        #expect(try connection.readHead().status == 200)
        slow.append(connection)
      }
      // Now they are so slow that their sequences pause.
      try server.wait { $0.generator.metrics.paused > 0 }
      for _ in 0..<3 {
        #expect(try server.complete(#""prompt":"b","temperature":0"#).content == alone.text)
      }
      // Whoever reads at last gets everything.
      for connection in slow {
        let body = String(decoding: try connection.readBody(), as: UTF8.self)
        #expect(body.hasSuffix("data: [DONE]\n\n"))
        #expect(
          body.split(separator: "\n\n").count { $0.contains("\"finish_reason\":\"length\"") } == 4)
      }
    }
  }

  @Test func halfARequestHoldsNobody() async throws {
    try await withServer(TinyService.make()) {
      $0.limits.bodySeconds = 5
      $0.limits.idleSeconds = 0.3
    } _: { server in
      let head = try server.connect()
      try head.send(Array("POST /v1/completions HTTP/1.1\r\nHost:".utf8))
      let body = try server.connect()
      try body.send(
        Array(
          "POST /v1/completions HTTP/1.1\r\nHost: [::1]:1\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
            .utf8))
      body.close()
      #expect(try server.complete(#""prompt":"b""#).status == 200)
      // A head that never ends doesn't stay for ever.
      #expect(head.isClosedByServer())
    }
  }

  @Test func connectionsServeManyRequests() async throws {
    try await withServer(TinyService.make()) { server in
      let connection = try server.connect()
      for index in 0..<5 {
        let isWrong = index == 2
        try connection.send(
          "POST", "/v1/completions", headers: ["X-Request-Id": "mine-\(index)"],
          body: isWrong ? "{" : "{\"prompt\":\"a\",\"max_tokens\":2,\"stream\":\(index == 3)}")
        let head = try connection.readHead()
        #expect(head.status == (isWrong ? 400 : 200))
        #expect(head.headers["x-request-id"] == "mine-\(index)")
        #expect(try !connection.readBody().isEmpty)
      }
    }
  }

  @Test func aServerThatLeavesLetsAnswersEnd() async throws {
    try await withServer(TinyService.make()) { server in
      let stream = try server.connect()
      try stream.send("POST", "/v1/completions", body: "{\(Self.long),\"stream\":true}")
      #expect(try stream.readHead().status == 200)
      server.leave()
      let body = String(decoding: try stream.readBody(), as: UTF8.self)
      #expect(body.hasSuffix("data: [DONE]\n\n"))
    }
  }

  /// An answer that is cut when the server leaves says so, instead of ending like a whole one.
  @Test(arguments: [1, 4]) func aCutAnswerSaysSo(_ count: Int) async throws {
    let settings = BatchSettings(streamLimit: 4)
    // No socket takes the whole of it.
    let service = try TinyService.make(settings: settings, context: 16_384)
    try await withServer(service, patience: 0.2) { server in
      let stream = try server.connect(isSlow: true)
      try stream.send(
        "POST", "/v1/completions",
        body: "{\"prompt\":\"a\",\"max_tokens\":16000,\"ignore_eos\":true,\"temperature\":0,"
          + "\"logprobs\":20,\"n\":\(count),\"stream\":true,"
          + "\"stream_options\":{\"include_usage\":true}}")
      #expect(try stream.readHead().status == 200)
      try server.wait { $0.generator.metrics.paused == count }
      server.leave()
      try server.wait { $0.generator.metrics.running == 0 && $0.generator.metrics.paused == 0 }
      let body = String(decoding: try stream.readBody(), as: UTF8.self)
      let events = body.split(separator: "\n\n")
      #expect(events.last?.contains("\"code\":\"shutting_down\"") == true)
      #expect(!body.contains("[DONE]") && !body.contains("\"usage\":{"))
    }
  }

  @Test func aServerThatLeavesWaitsForNobodyForEver() async throws {
    let settings = BatchSettings(streamLimit: 4)
    try await withServer(TinyService.make(settings: settings), patience: 0.2) { server in
      let stream = try server.connect(isSlow: true)
      try stream.send("POST", "/v1/completions", body: "{\(Self.large),\"stream\":true}")
      #expect(try stream.readHead().status == 200)
      server.leave()
      // The test ends when the server has, although this client reads nothing.
      Thread.sleep(forTimeInterval: 0.5)
    }
  }
}
