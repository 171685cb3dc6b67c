import Files
import Speculate

/// Answers of `/v1/completions`.
struct CompletionShape: AnswerShape {
  let kinds = (whole: "text_completion", part: "text_completion")
  let spelling: TokenSpelling
  /// How many of the most probable tokens are told at each place; nil for no log-probabilities.
  let logprobs: Int?

  func opening(_ choice: inout Choice) -> JSONValue? {
    guard let echo = choice.echo else { return nil }
    return json(&choice, echo, promptScored(choice), reason: nil)
  }

  func part(_ choice: inout Choice, _ delta: ChoiceOutput.Delta) -> JSONValue {
    json(&choice, delta.text, delta.scored, reason: nil)
  }

  func ending(_ choice: Choice, reason: String) -> JSONValue {
    var choice = choice
    return json(&choice, "", [], reason: reason)
  }

  func whole(
    _ choice: inout Choice, _ delta: ChoiceOutput.Delta, reason: String
  ) -> JSONValue {
    json(
      &choice, (choice.echo ?? "") + delta.text,
      (choice.echo == nil ? [] : promptScored(choice)) + delta.scored, reason: reason)
  }

  /// The prompt's tokens with their scores, of which the first has none.
  private func promptScored(_ choice: Choice) -> [ScoredOutput] {
    guard let scores = choice.promptScores else { return [] }
    return zip(choice.request.prompt, scores).map { ScoredOutput(id: $0, scores: $1) }
  }

  private func json(
    _ choice: inout Choice, _ text: String, _ scored: [ScoredOutput], reason: String?
  ) -> JSONValue {
    var offset = choice.offset
    let scores = logprobs.map {
      CompletionScores.json(scored, spelling, count: $0, offset: &offset)
    }
    choice.offset = offset
    return .object([
      "index": .integer(choice.index), "text": .string(text), "logprobs": scores ?? .null,
      "finish_reason": reason.map(JSONValue.string) ?? .null,
    ])
  }
}
