import HTTPTypes

/// The paths that there are, and how each may be asked.
enum Route: String, CaseIterable {
  case page = "/"
  case health = "/health"
  case version = "/version"
  case metrics = "/metrics"
  case models = "/v1/models"
  case chat = "/v1/chat/completions"
  case completions = "/v1/completions"
  case tokenize = "/tokenize"
  case detokenize = "/detokenize"
  case tokenizer = "/tokenizer_info"

  var methods: [HTTPRequest.Method] {
    switch self {
    case .page, .health, .version, .metrics, .models, .tokenizer: [.get, .head]
    case .chat, .completions, .tokenize, .detokenize: [.post]
    }
  }

  /// Whether a key is needed where the server has one. The page asks its reader for it.
  var needsKey: Bool {
    switch self {
    case .page, .health, .version: false
    default: true
    }
  }

  /// The route of a path, with or without a slash at its end.
  ///
  /// - Throws: ``APIError`` (404) for a path that there isn't.
  init(_ path: String) throws {
    let name = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard let route = Route(rawValue: name) else {
      throw APIError(404, "there is nothing at this path; see /v1/models", code: "not_found")
    }
    self = route
  }

  /// - Throws: ``APIError`` (405) for a method that it doesn't take.
  func check(_ method: HTTPRequest.Method) throws {
    guard methods.contains(method) else {
      throw APIError(
        405, "\(rawValue) takes \(methods[0].rawValue), not \(method.rawValue)",
        code: "method_not_allowed")
    }
  }

  /// What the header `Allow` says.
  var allowed: String { methods.map(\.rawValue).joined(separator: ", ") }
}
