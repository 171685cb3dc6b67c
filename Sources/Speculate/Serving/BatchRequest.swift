public import Files

/// What a ``BatchGenerator`` is asked for: one output of one prompt.
public struct BatchRequest: Sendable, Equatable {
  /// The prompt's ids, special tokens included.
  public var prompt: [Token]
  /// When the output ends, and how its tokens are chosen.
  public var parameters: GenerationParameters
  /// How tokens are produced; the output is the same.
  public var mode: DecodingMode
  /// How many of the most probable tokens are told with each token and its log-probability, 0 to
  /// ``mostScores``; `nil` for none of it.
  public var scores: Int?
  /// The same for the tokens of the prompt, which is computed wholly then.
  public var promptScores: Int?
  /// Whether an output is generated; without one, only the prompt is read and scored.
  public var generates: Bool
  /// What the output will mostly repeat: drafts that cost nothing, where the output goes along it.
  public var prediction: [Token]

  /// The most tokens that are told with each.
  public static let mostScores = 20

  /// Makes a request without checking it; ``BatchGenerator/submit(_:)`` does.
  public init(
    prompt: [Token], parameters: GenerationParameters = GenerationParameters(),
    mode: DecodingMode = .speculative(), scores: Int? = nil, promptScores: Int? = nil,
    generates: Bool = true, prediction: [Token] = []
  ) {
    self.prompt = prompt
    self.parameters = parameters
    self.mode = mode
    self.scores = scores
    self.promptScores = promptScores
    self.generates = generates
    self.prediction = prediction
  }

  /// - Throws: ``SpeculateError`` naming what is out of range.
  func validated() throws {
    try parameters.validated()
    try parameters.check(mode)
    for (name, count) in [("scores", scores), ("prompt scores", promptScores)] {
      if let count, !(0...Self.mostScores).contains(count) {
        throw SpeculateError("\(name) \(count) is out of range: use 0 to \(Self.mostScores)")
      }
    }
  }
}

/// Why a ``BatchGenerator`` takes no request.
public enum SubmissionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// As many requests wait as may: try again later.
  case queueFull(limit: Int)
  /// The generator finishes what it has and takes nothing more.
  case draining
  /// The request cannot be decoded: a parameter is out of range, or the prompt is too long.
  case invalid(SpeculateError)

  /// The message: one line.
  public var description: String {
    switch self {
    case .queueFull(let limit): "\(limit) requests wait already: try again later"
    case .draining: "the generator is shutting down: ask another"
    case .invalid(let error): error.description
    }
  }
}
