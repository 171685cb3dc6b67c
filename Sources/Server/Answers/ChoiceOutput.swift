import Files
import Speculate
import Text

/// One answer on its way: what comes of its tokens.
struct ChoiceOutput: Sendable {
  /// What a token, or the end, adds to an answer.
  struct Delta: Sendable {
    var text = ""
    var calls: [ToolCall] = []
    var scored: [ScoredOutput] = []
    /// The text in parts by where they were drafted.
    var origins: [(text: String, origin: DraftOrigin?)] = []

    var isEmpty: Bool { text.isEmpty && calls.isEmpty && scored.isEmpty }

    static func += (sum: inout Self, other: Self) {
      sum.text += other.text
      sum.calls += other.calls
      sum.scored += other.scored
      sum.origins += other.origins
    }
  }

  private let tokenizer: any Tokenizer
  private var parser: ToolCallParser?
  /// Spellings that a parser has to see, although they are of special tokens.
  private let marks: Set<String>
  private let tellsScores: Bool
  /// Tokens whose scores must not be told yet, because their text isn't known to be given out, and where each
  /// begins and ends: [bytes].
  private var pending: [(output: ScoredOutput, bytes: Range<Int>)] = []
  /// Bytes of text of the tokens so far, and those given out.
  private var takenBytes = 0
  /// Tells how much text each token completes.
  private var spelled: StreamingDetokenizer
  private var givenBytes = 0
  /// End tokens that are told with no scores, since they are no text of a chat's.
  private let hidden: Set<Token>
  private(set) var callCount = 0
  /// Tokens so far, and rounds that they took: one begins with every token of the target's own.
  private(set) var tokens = 0
  private(set) var rounds = 0

  init(
    tokenizer: any Tokenizer, syntax: ToolSyntax? = nil, tellsScores: Bool,
    hidden: Set<Token> = []
  ) {
    self.tokenizer = tokenizer
    self.tellsScores = tellsScores
    self.hidden = hidden
    parser = syntax.map(ToolCallParser.init)
    spelled = StreamingDetokenizer(tokenizer, continuing: true)
    marks = Set(syntax?.marks ?? [])
  }

  mutating func take(_ token: BatchToken) -> Delta {
    tokens += 1
    if token.origin == nil { rounds += 1 }
    var text = token.text
    if !marks.isEmpty, tokenizer.isSpecial(token.id), let piece = tokenizer.piece(of: token.id),
      marks.contains(piece)
    {
      text += piece
    }
    var delta = Delta()
    if var own = parser {
      give(own.append(text), &delta)
      parser = own
    } else {
      delta.text = text
    }
    if !delta.text.isEmpty { delta.origins = [(delta.text, token.origin)] }
    guard tellsScores else { return delta }
    let size = spelled.append(token.id).utf8.count
    givenBytes += token.text.utf8.count
    if !hidden.contains(token.id) {
      pending.append(
        (ScoredOutput(id: token.id, scores: token.scores), takenBytes..<takenBytes + size))
    }
    takenBytes += size
    // A token without text of its own waits for the next, whose beginning it may be.
    let known = pending.lastIndex { !$0.bytes.isEmpty && $0.bytes.upperBound <= givenBytes }
    let count = known.map { $0 + 1 } ?? 0
    delta.scored = pending.prefix(count).map(\.output)
    pending.removeFirst(count)
    return delta
  }

  /// Ends the answer.
  mutating func finish(_ reason: FinishReason) -> Delta {
    var delta = Delta()
    if var own = parser {
      give(own.finish(), &delta)
      parser = own
    }
    if !delta.text.isEmpty { delta.origins = [(delta.text, nil)] }
    // Of a stop text nothing is told but what stands before it.
    let told =
      reason == .stopString ? pending.prefix { $0.bytes.lowerBound < givenBytes } : pending[...]
    delta.scored = told.map(\.output)
    return delta
  }

  /// OpenAI's word for the end.
  func word(_ reason: FinishReason) -> String {
    callCount > 0 && (reason == .endToken || reason == .stopString) ? "tool_calls" : reason.word
  }

  private mutating func give(_ output: ToolCallParser.Output, _ delta: inout Delta) {
    delta.text = output.text
    delta.calls = output.calls
    callCount += output.calls.count
  }
}
