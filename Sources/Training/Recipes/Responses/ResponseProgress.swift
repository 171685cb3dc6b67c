/// How far the making of responses is.
public struct ResponseProgress: Sendable, Equatable, Codable {
  /// Responses there are, those of earlier sessions included.
  public var responses: Int
  /// Responses wanted.
  public var wanted: Int
  /// Tokens chosen in this session.
  public var tokens: Int
  /// Chats that are longer than prompts may be, and left out.
  public var tooLongChats: Int

  /// A state of the work.
  public init(responses: Int, wanted: Int, tokens: Int, tooLongChats: Int = 0) {
    self.responses = responses
    self.wanted = wanted
    self.tokens = tokens
    self.tooLongChats = tooLongChats
  }
}
