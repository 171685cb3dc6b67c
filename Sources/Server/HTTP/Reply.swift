import Files
import HTTPTypes
import Hummingbird
import NIOCore

/// Answers as they go over the wire.
enum Reply {
  static func json(
    _ value: JSONValue, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) -> Response {
    text(value.line() + "\n", type: "application/json", status: status, headers: headers)
  }

  static func text(
    _ text: String, type: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) -> Response {
    var headers = headers
    headers[.contentType] = type
    return Response(
      status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  static func error(_ error: APIError, headers: HTTPFields = [:]) -> Response {
    var headers = headers
    if let seconds = error.retryAfter { headers[.retryAfter] = "\(seconds)" }
    if error.status == 401 { headers[.wwwAuthenticate] = "Bearer" }
    return json(error.json, status: HTTPResponse.Status(code: error.status), headers: headers)
  }
}

/// Server-sent events (WHATWG HTML, section 9.2), as OpenAI's streams have them.
enum ServerSentEvent {
  static func data(_ value: JSONValue) -> ByteBuffer { data(value.line()) }

  static func data(_ line: String) -> ByteBuffer { ByteBuffer(string: "data: \(line)\n\n") }

  static let done = ByteBuffer(string: "data: [DONE]\n\n")

  /// A comment, which clients pass over: shows that the connection lives.
  static let comment = ByteBuffer(string: ": waiting\n\n")
}
