package import Files

/// An answer that says what is wrong, in the shape that OpenAI's clients know.
///
/// All errors of the server are of this type: what a request did wrong is a status of 400 to 429, and 503 says
/// that the server leaves. No input makes a 500.
package struct APIError: Error, Equatable, Sendable {
  /// The status of the answer.
  package var status: Int
  /// What is wrong and what to do, on one line.
  package var message: String
  /// The field of the request that is wrong, `messages[0].content`.
  package var parameter: String?
  /// A word for programs, `model_not_found`.
  package var code: String?
  /// After how many seconds to try again.
  package var retryAfter: Int?

  package init(
    _ status: Int, _ message: String, parameter: String? = nil, code: String? = nil,
    retryAfter: Int? = nil
  ) {
    self.status = status
    self.message = message
    self.parameter = parameter
    self.code = code
    self.retryAfter = retryAfter
  }

  /// A value of a field that can't be used.
  static func value(_ field: String, _ message: String, code: String = "invalid_value") -> APIError
  {
    APIError(400, message, parameter: field, code: code)
  }

  /// What the library refused, said of a field.
  static func refused(_ error: any Error, parameter: String? = nil) -> APIError {
    if let error = error as? APIError { return error }
    if let error = error as? SpeculateError {
      return APIError(400, error.description, parameter: parameter, code: "invalid_value")
    }
    return APIError(500, "the server failed: \(error)", code: "internal_error")
  }

  static let tookTooLong = APIError(
    408, "the answer took too long; ask for fewer tokens", code: "request_timeout")

  static let leaving = APIError(
    503, "the server is shutting down; ask another", code: "shutting_down")

  /// OpenAI's word for the kind of error.
  var type: String {
    switch status {
    case 401: "authentication_error"
    case 403: "request_forbidden"
    case 429: "rate_limit_error"
    case 500...: "server_error"
    default: "invalid_request_error"
    }
  }

  /// The answer's body.
  package var json: JSONValue {
    .object([
      "error": .object([
        "message": .string(message), "type": .string(type),
        "param": parameter.map(JSONValue.string) ?? .null,
        "code": code.map(JSONValue.string) ?? .null,
      ])
    ])
  }
}
