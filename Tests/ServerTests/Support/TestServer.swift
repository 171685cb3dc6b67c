import Files
import Foundation
import Logging
import Server
import Speculate
import Testing

/// A server on a free port of loopback.
struct TestServer: Sendable {
  let port: Int
  let state: ServerState
  /// Asks the server to leave.
  let leave: @Sendable () -> Void

  /// An answer.
  struct Answer {
    let status: Int
    let headers: [String: String]
    let bytes: [UInt8]

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var json: JSONValue? { try? JSONValue(parsing: bytes) }
    /// A member of the error that it tells.
    func error(_ name: String) -> JSONValue? { json?["error"]?[name] }
    var content: String? {
      let choice = json?["choices"]?.elements?.first
      return choice?["message"]?["content"]?.text ?? choice?["text"]?.text
    }
  }

  /// - Parameter isSlow: whether the connection holds little that wasn't read.
  func connect(isSlow: Bool = false) throws -> HTTPConnection {
    try HTTPConnection(
      host: "127.0.0.1", port: port, timeout: 30, receiveBuffer: isSlow ? 1 << 15 : nil)
  }

  func ask(
    _ method: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:]
  ) throws -> Answer {
    let connection = try connect()
    try connection.send(method, path, headers: headers, body: body)
    let head = try connection.readHead(hasBody: method != "HEAD")
    return Answer(status: head.status, headers: head.headers, bytes: try connection.readBody())
  }

  func post(_ path: String, _ body: String) throws -> Answer { try ask("POST", path, body) }

  func chat(_ fields: String) throws -> Answer { try post("/v1/chat/completions", "{\(fields)}") }

  func complete(_ fields: String) throws -> Answer { try post("/v1/completions", "{\(fields)}") }

  /// The events of a stream, the last of them `[DONE]`.
  func stream(_ path: String, _ fields: String) throws -> [String] {
    let connection = try connect()
    try connection.send("POST", path, body: "{\"stream\":true,\(fields)}")
    let head = try connection.readHead()
    try #require(head.status == 200)
    #expect(head.headers["content-type"] == "text/event-stream; charset=utf-8")
    var reader = EventReader()
    var events: [String] = []
    while let piece = try connection.readPiece() { events += reader.append(piece) }
    return events
  }

  /// Waits until something is so.
  func wait(
    _ seconds: Double = 20, until isTrue: (ModelService) -> Bool,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let watch = Stopwatch()
    while watch.elapsed < seconds {
      if let service = state.service, isTrue(service) { return }
      Thread.sleep(forTimeInterval: 0.005)
    }
    Issue.record("it didn't come to that in \(seconds) seconds", sourceLocation: sourceLocation)
  }
}

/// Runs a test against a server, on a thread of its own, since calls of a client block.
func withServer(
  _ service: ModelService?, patience: Double = 20,
  change: (inout APIServer.Configuration) -> Void = { _ in },
  _ body: @escaping @Sendable (TestServer) throws -> Void
) async throws {
  var configuration = APIServer.Configuration(host: "127.0.0.1", port: 0, version: "test")
  change(&configuration)
  let state = ServerState()
  if let service { state.serve(service) }
  let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  let api = APIServer(configuration, state: state, logger: logger)
  let (ports, tellPort) = AsyncStream<Int>.makeStream()
  let (ends, end) = AsyncStream<Void>.makeStream()
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      try await api.run(patience: patience) { port in
        tellPort.yield(port)
      } untilLeaving: {
        for await _ in ends {}
      }
    }
    group.addTask {
      var iterator = ports.makeAsyncIterator()
      let port = try #require(await iterator.next())
      let server = TestServer(port: port, state: state, leave: { end.finish() })
      defer { end.finish() }
      try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
        Thread.detachNewThread { done.resume(with: Result { try body(server) }) }
      }
    }
    try await group.waitForAll()
  }
}
