import Files
import Foundation
import Text

/// A server that a load is put on, by its URL.
struct LoadTarget: Sendable {
  let url: String
  let host: String
  let port: Int
  /// What paths begin with, `/v1` left out.
  let path: String
  let key: String?
  /// What requests call the model; nil for the first that the server has.
  var model: String?

  /// - Throws: `SpeculateError` for what is no URL of http.
  init(_ url: String, key: String?, model: String?) throws {
    guard let parts = URLComponents(string: url), parts.scheme == "http", let host = parts.host,
      !host.isEmpty
    else {
      throw SpeculateError("--url \(url) is no address of a server; give http://HOST:PORT")
    }
    self.url = url
    self.host = host.trimmingCharacters(in: ["[", "]"])
    self.key = key
    self.model = model
    port = parts.port ?? 80
    var path = parts.path
    while path.hasSuffix("/") { path.removeLast() }
    if path.hasSuffix("/v1") { path.removeLast(3) }
    self.path = path
  }

  var headers: [String: String] { key.map { ["Authorization": "Bearer \($0)"] } ?? [:] }
}

/// What a load asks a server for.
struct LoadRequest: Sendable {
  let path: String
  let body: String

  /// A prompt as a request for a stream.
  ///
  /// - Parameters:
  ///   - isChat: whether texts are what a user says.
  ///   - settings: more members of the body, JSON each.
  init(
    _ prompt: PromptInput.Prompt, isChat: Bool, model: String, settings: [(String, String)]
  ) throws {
    let subject: (String, String)
    switch prompt.content {
    case .text(let text) where !isChat:
      path = "/v1/completions"
      subject = ("prompt", jsonLiteral(text))
    case .text(let text):
      path = "/v1/chat/completions"
      subject = ("messages", "[{\"role\":\"user\",\"content\":\(jsonLiteral(text))}]")
    case .chat(let conversation):
      path = "/v1/chat/completions"
      subject = ("messages", try conversation.messagesJSON())
    }
    body = Self.body(subject, model, settings)
  }

  /// Ids to go on from, as a request for a stream.
  init(ids: [Int], model: String, settings: [(String, String)]) {
    path = "/v1/completions"
    body = Self.body(("prompt", "\(ids)"), model, settings)
  }

  private static func body(
    _ subject: (String, String), _ model: String, _ settings: [(String, String)]
  ) -> String {
    let members =
      [
        ("model", jsonLiteral(model)), subject, ("stream", "true"),
        ("stream_options", "{\"include_usage\":true}"),
      ] + settings
    return "{\(members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ","))}"
  }
}
