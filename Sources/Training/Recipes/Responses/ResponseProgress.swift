/// How far the making of responses is.
package struct ResponseProgress: Sendable, Equatable, Codable {
  /// Responses there are, those of earlier sessions included.
  package var responses: Int
  package var wanted: Int
  /// Tokens chosen in this session.
  package var tokens: Int
  /// Chats that are longer than prompts may be, and left out.
  package var tooLongChats: Int

  package init(responses: Int, wanted: Int, tokens: Int, tooLongChats: Int = 0) {
    self.responses = responses
    self.wanted = wanted
    self.tokens = tokens
    self.tooLongChats = tooLongChats
  }
}
