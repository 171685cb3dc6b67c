/// Where a distillation run is.
public struct DistillProgress: Sendable, Equatable, Codable {
  /// Steps taken.
  public var step: Int
  /// Steps of the whole run.
  public var steps: Int
  /// The stage of the last step, for a drafter that sees tokens.
  public var stage: Int?
  /// Blocks seen.
  public var anchors: Int
  /// Mean weighted loss (nats a drafted token) since the last report.
  public var loss: Double
  /// The learning rate of the last step.
  public var rate: Float
  /// The gradient's norm before clipping, of the last step.
  public var gradientNorm: Double
  /// Blocks a second since the last report.
  public var anchorsPerSecond: Double
  /// Seconds of training so far, over all sessions.
  public var seconds: Double
  /// Mean acceptance length on held-out prompts, when just measured.
  public var acceptanceLength: Double?
  /// The share of rounds whose draft 1, 2 … was accepted, when just measured.
  public var survival: [Double]?
  /// The share of held-out answers that end in a loop, when just measured.
  public var loopShare: Double?
  /// Mean acceptance length on the other answers, when just measured.
  public var looplessAcceptanceLength: Double?
  /// What the engine that serves made of the held-out prompts with the last drafter, after the last step.
  public var generated: GeneratedAcceptance?
  /// The step of the best drafter so far, when acceptance was just measured and the best is kept.
  public var bestStep: Int?
  /// Its mean acceptance length.
  public var bestAcceptanceLength: Double?
}

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

/// What the responses are like.
public struct ResponseSummary: Sendable, Equatable, Codable {
  /// How many there are.
  public var responses: Int
  /// The target's own tokens in them.
  public var tokens: Int
  /// The share of its tokens that the draft vocabulary holds.
  public var coverage: Double
}
