import Files
import Foundation
import Server
import Testing

/// Keys, and pages of other origins.
@Suite struct AccessTests {
  @Test func onlyThoseWhoKnowTheKeyAreAnswered() async throws {
    try await withServer(TinyService.make()) {
      $0.keys = ["secret", "other"]
    } _: { server in
      func status(_ value: String?) throws -> TestServer.Answer {
        try server.ask(
          "POST", "/v1/completions", #"{"prompt":"a","max_tokens":1}"#,
          headers: value.map { ["Authorization": $0] } ?? [:])
      }
      for key in ["Bearer secret", "bearer other"] { #expect(try status(key).status == 200) }
      for key in [
        nil, "", "Bearer", "Bearer ", "Bearer secre", "Bearer secrets", "Bearer Secret",
        "Basic secret", "secret",
      ] {
        let answer = try status(key)
        #expect(answer.status == 401, "\(key ?? "")")
        #expect(answer.error("type") == .string("authentication_error"))
        #expect(answer.headers["www-authenticate"] == "Bearer")
      }
      for path in ["/v1/models", "/metrics"] {
        #expect(try server.ask("GET", path).status == 401)
        #expect(
          try server.ask("GET", path, headers: ["Authorization": "Bearer secret"]).status == 200)
      }
      for path in ["/", "/health", "/version"] {
        #expect(try server.ask("GET", path).status == 200)
      }
    }
  }

  /// A page can have its own name resolved to this machine, but it can't call the server by another.
  @Test func serversOfThisMachineAnswerToTheirNamesOnly() async throws {
    let own = [
      "localhost", "LOCALHOST:8080", "127.0.0.1:80", "127.1.2.3", "[::1]:8080", "a.localhost.",
    ]
    let others = [
      "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example",
      "127.0.0.256", "128.0.0.1", "", "[::2]", "notlocalhost", "::1.evil.example",
    ]
    @Sendable func check(_ server: TestServer, _ hosts: [String], are status: Int) throws {
      for host in hosts {
        for (method, path, body) in [
          ("GET", "/health", nil), ("GET", "/", nil),
          ("POST", "/v1/completions", #"{"prompt":"a","max_tokens":1}"#),
        ] {
          let answer = try server.ask(method, path, body, headers: ["Host": host])
          #expect(answer.status == status, "\(host) \(path)")
          guard status == 403 else { continue }
          #expect(answer.error("type") == .string("request_forbidden"))
          #expect(answer.error("code") == .string("host_not_allowed"))
        }
      }
    }
    try await withServer(TinyService.make()) { server in
      try check(server, own, are: 200)
      try check(server, others, are: 403)
      let preflight = try server.ask(
        "OPTIONS", "/v1/completions",
        headers: ["Host": "evil.example", "Access-Control-Request-Method": "POST"])
      #expect(preflight.status == 403)
    }
    try await withServer(TinyService.make()) {
      $0.allowedHosts = ["Model.Example", "proxy"]
    } _: { server in
      try check(server, own + ["model.example:443", "proxy"], are: 200)
      try check(server, others, are: 403)
    }
    try await withServer(TinyService.make()) {
      $0.allowedHosts = ["*"]
    } _: { server in
      try check(server, own + others.filter { !$0.isEmpty }, are: 200)
    }
  }

  @Test func pagesOfOtherOriginsAskOnlyIfAllowed() async throws {
    let page = ["Origin": "https://example.org"]
    let preflight = page.merging([
      "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization",
    ]) { $1 }
    try await withServer(TinyService.make()) { server in
      #expect(
        try server.ask("GET", "/v1/models", headers: page)
          .headers["access-control-allow-origin"] == nil)
      let answer = try server.ask("OPTIONS", "/v1/chat/completions", headers: preflight)
      #expect(answer.headers["access-control-allow-origin"] == nil)
    }
    try await withServer(TinyService.make()) {
      $0.origins = ["https://example.org"]
    } _: { server in
      let answer = try server.ask("OPTIONS", "/v1/chat/completions", headers: preflight)
      #expect(answer.status == 204)
      #expect(answer.headers["access-control-allow-origin"] == "https://example.org")
      #expect(answer.headers["access-control-allow-headers"] == "authorization")
      #expect(
        try server.ask("GET", "/v1/models", headers: page)
          .headers["access-control-allow-origin"] == "https://example.org")
      #expect(
        try server.ask("GET", "/v1/models", headers: ["Origin": "https://evil.org"])
          .headers["access-control-allow-origin"] == nil)
    }
  }
}
