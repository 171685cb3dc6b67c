import Files
import HTTPTypes
import Hummingbird
import Logging

/// What the log tells of one request: a line at its end, and nothing that was said, unless that is asked for.
struct RequestLog: Sendable {
  let id: String
  private let method: String
  private let path: String
  private let logger: Logger
  private let watch = Stopwatch()

  init(_ request: Request, _ logger: Logger) {
    // A client may name its request, by what a log can hold.
    let own = HTTPField.Name("X-Request-Id").flatMap { request.headers[$0] } ?? ""
    let isUsable =
      (1...128).contains(own.utf8.count) && own.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    id = isUsable ? own : "req-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    method = request.method.rawValue
    path = printable(request.uri.path, limit: 200)
    self.logger = logger
  }

  /// The answer was made, or its stream came to an end.
  func answered(
    _ status: Int, usage: Usage? = nil, error: APIError? = nil, ending: String? = nil
  ) {
    var metadata: Logger.Metadata = [
      "id": "\(id)", "method": "\(method)", "path": "\(path)", "status": "\(status)",
      "seconds": "\((watch.elapsed * 10_000).rounded() / 10_000)",
    ]
    if let usage {
      metadata["prompt_tokens"] = "\(usage.promptTokens)"
      metadata["completion_tokens"] = "\(usage.completionTokens)"
    }
    if let error { metadata["error"] = "\(printable(error.message, limit: 300))" }
    if let ending { metadata["ending"] = "\(ending)" }
    logger.log(level: status >= 500 ? .error : .info, "request", metadata: metadata)
  }

  /// What was asked, for logs that are told.
  func asked(_ prompts: [String]) {
    for prompt in prompts {
      logger.info("prompt", metadata: ["id": "\(id)", "text": "\(printable(prompt))"])
    }
  }
}
