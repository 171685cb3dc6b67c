import Files
import Server

/// What one request of a load took, in seconds since it was sent.
struct LoadSample: Sendable {
  /// When it was sent, since the load began.
  var sent: Double
  /// Until its first text; nil without one.
  var firstText: Double?
  /// Until its last text.
  var lastText = 0.0
  /// Until its end.
  var total = 0.0
  var promptTokens = 0
  /// Of these, tokens that the server had computed before, where it says so.
  var cachedTokens = 0
  var tokens = 0
  /// Drafts that the server verified and accepted, where it says so.
  var drafts = 0
  var accepted = 0
  /// Why it failed; nil where it didn't.
  var failure: String?

  /// Seconds until the first text, or until the end of an answer without any.
  var untilFirst: Double { firstText ?? total }

  /// Seconds of a token behind the first.
  var perToken: Double? {
    guard let firstText, tokens > 1 else { return nil }
    return (lastText - firstText) / Double(tokens - 1)
  }
}

/// Sends requests over one connection, which it opens anew where the server closed it.
final class LoadClient {
  private let target: LoadTarget
  private let timeout: Double
  private var connection: HTTPConnection?

  init(_ target: LoadTarget, timeout: Double) {
    self.target = target
    self.timeout = timeout
  }

  /// The first model of the server.
  func model() throws -> String {
    let body = try get("/v1/models")
    guard let name = try JSONValue(parsing: body)["data"]?.elements?.first?["id"]?.text else {
      throw SpeculateError("\(target.url)/v1/models names no model; give one with --model")
    }
    return name
  }

  /// The ids of a text, without those that begin one.
  func ids(of text: String) throws -> [Int] {
    // What the text is called: by llama.cpp, and by vLLM.
    let body =
      "{\"content\":\(jsonLiteral(text)),\"prompt\":\(jsonLiteral(text)),\"add_special\":false,"
      + "\"add_special_tokens\":false}"
    let answer = try JSONValue(parsing: ask("POST", "/tokenize", body: body))
    guard let ids = answer["tokens"]?.elements?.map(\.integer), !ids.contains(nil) else {
      throw SpeculateError("\(target.url)/tokenize tells no ids; measure a server that does")
    }
    return ids.compactMap(\.self)
  }

  private func get(_ path: String) throws -> [UInt8] { try ask("GET", path, body: nil) }

  private func ask(_ method: String, _ path: String, body: String?) throws -> [UInt8] {
    let connection = try HTTPConnection(host: target.host, port: target.port, timeout: timeout)
    try connection.send(method, target.path + path, headers: target.headers, body: body)
    let head = try connection.readHead()
    let body = try connection.readBody()
    guard head.status == 200 else {
      throw SpeculateError(
        "\(target.url)\(path) answers \(head.status); check the address and the key")
    }
    return body
  }

  /// Sends a request and reads its stream to the end.
  ///
  /// - Parameter sent: seconds since the load began.
  func run(_ request: LoadRequest, sent: Double) -> LoadSample {
    var sample = LoadSample(sent: sent)
    let watch = Stopwatch()
    do {
      try exchange(request, &sample, watch)
    } catch {
      sample.failure = "\(error)"
      connection = nil
    }
    sample.total = watch.elapsed
    return sample
  }

  private func exchange(
    _ request: LoadRequest, _ sample: inout LoadSample, _ watch: Stopwatch
  ) throws {
    let isOld = connection != nil
    do {
      try open().send(
        "POST", target.path + request.path, headers: target.headers, body: request.body)
      try read(open(), &sample, watch)
    } catch  where isOld && sample.firstText == nil {
      // The server may have closed a connection that was idle.
      connection = nil
      try open().send(
        "POST", target.path + request.path, headers: target.headers, body: request.body)
      try read(open(), &sample, watch)
    }
  }

  private func open() throws -> HTTPConnection {
    let open =
      try connection
      ?? HTTPConnection(host: target.host, port: target.port, timeout: timeout)
    connection = open
    return open
  }

  private func read(
    _ connection: HTTPConnection, _ sample: inout LoadSample, _ watch: Stopwatch
  ) throws {
    let head = try connection.readHead()
    guard head.status == 200 else {
      let said = try? JSONValue(parsing: connection.readBody())["error"]?["message"]?.text
      throw SpeculateError("status \(head.status)\(said.map { ": \($0)" } ?? "")")
    }
    var events = EventReader()
    var pieces = 0
    while let piece = try connection.readPiece() {
      let now = watch.elapsed
      for data in events.append(piece) where data != "[DONE]" {
        // Read in place, since the load shares the machine with the server.
        let event = try JSONText(Array(data.utf8)).root.members()
        if let message = try value(event["error"])?["message"]?.text {
          throw SpeculateError(message)
        }
        let choice = try event["choices"]?.elements().first?.members()
        let text = try choice?["text"] ?? choice?["delta"]?.members()["content"]
        if text?.stringBytes?.isEmpty == false {
          pieces += 1
          if sample.firstText == nil { sample.firstText = now }
          sample.lastText = now
        }
        try count(usage: value(event["usage"]), timings: value(event["timings"]), &sample)
      }
    }
    // Without usage every piece is taken for a token.
    if sample.tokens == 0 { sample.tokens = pieces }
    if head.headers["connection"]?.lowercased() == "close" { self.connection = nil }
  }

  private func value(_ node: JSONNode?) throws -> JSONValue? {
    guard let node, !node.isNull else { return nil }
    return try JSONValue(parsing: node.text.bytes[node.span])
  }

  /// What the server says of tokens and drafts: as OpenAI does, or llama.cpp.
  private func count(usage: JSONValue?, timings: JSONValue?, _ sample: inout LoadSample) {
    if let usage, usage.members != nil {
      sample.promptTokens = usage["prompt_tokens"]?.integer ?? 0
      sample.tokens = usage["completion_tokens"]?.integer ?? 0
      sample.cachedTokens = usage["prompt_tokens_details"]?["cached_tokens"]?.integer ?? 0
      let details = usage["completion_tokens_details"]
      let accepted = details?["accepted_prediction_tokens"]?.integer ?? 0
      sample.accepted = accepted
      sample.drafts = accepted + (details?["rejected_prediction_tokens"]?.integer ?? 0)
    }
    guard let timings else { return }
    if let drafts = timings["draft_n"]?.integer {
      sample.drafts = drafts
      sample.accepted = timings["draft_n_accepted"]?.integer ?? 0
    }
    if let cached = timings["cache_n"]?.integer { sample.cachedTokens = cached }
  }
}
