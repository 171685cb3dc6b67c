import Files
import Foundation
import Speculate

/// What all parts of one answer say of it.
struct AnswerHead: Sendable {
  let id: String
  let created: Int
  let model: String
  let fingerprint: String
  /// What is the same in all parts, as JSON without braces.
  private let members: String

  init(prefix: String, model: String, fingerprint: String) {
    id = "\(prefix)-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    created = Int(Date().timeIntervalSince1970)
    self.model = model
    self.fingerprint = fingerprint
    let same: [String: JSONValue] = [
      "id": .string(id), "created": .integer(created), "model": .string(model),
      "system_fingerprint": .string(fingerprint),
    ]
    members = String(JSONValue.object(same).line().dropFirst().dropLast())
  }

  func json(
    _ kind: String, choices: [JSONValue], _ more: [String: JSONValue] = [:]
  ) -> JSONValue {
    let own: [String: JSONValue] = [
      "id": .string(id), "object": .string(kind), "created": .integer(created),
      "model": .string(model), "system_fingerprint": .string(fingerprint),
      "choices": .array(choices),
    ]
    return .object(own.merging(more) { $1 })
  }

  /// The same as ``json(_:choices:_:)`` of one choice, on a line: streams write many.
  func line(_ kind: String, choice: JSONValue, _ more: [(String, JSONValue)]) -> String {
    var line = "{\"choices\":[\(choice.line())],\"object\":\"\(kind)\",\(members)"
    for (name, value) in more { line += ",\"\(name)\":\(value.line())" }
    return line + "}"
  }
}

/// How chats and completions say the same things.
protocol AnswerShape: Sendable {
  /// What an answer as a whole is called, and a part of a stream.
  var kinds: (whole: String, part: String) { get }
  /// What begins an answer in a stream, if anything does.
  func opening(_ choice: inout Choice) -> JSONValue?
  /// What a part of a stream adds.
  func part(_ choice: inout Choice, _ delta: ChoiceOutput.Delta) -> JSONValue
  /// What ends an answer in a stream.
  func ending(_ choice: Choice, reason: String) -> JSONValue
  /// An answer as a whole.
  func whole(_ choice: inout Choice, _ delta: ChoiceOutput.Delta, reason: String) -> JSONValue
}

/// One answer of a request, as far as it is.
struct Choice: Sendable {
  let index: Int
  /// Which prompt of the request it answers.
  let promptIndex: Int
  let request: BatchRequest
  /// The prompt's text, if the answer is to begin with it.
  let echo: String?
  var output: ChoiceOutput
  /// The scores of the prompt's tokens, once they are there.
  var promptScores: [TokenScores?]?
  /// Where the next token stands in the text, in characters, for completions.
  var offset = 0
  /// Calls that were told already.
  var toldCalls = 0
}

/// What answers used.
struct Usage: Sendable {
  private var prompts: [Int: (tokens: Int, cached: Int)] = [:]
  private var completion = 0
  private var accepted = 0
  private var rejected = 0

  mutating func add(_ choice: Choice, _ result: BatchResult) {
    let known = prompts[choice.promptIndex]
    prompts[choice.promptIndex] = (
      result.output.prompt.count, max(known?.cached ?? 0, result.cachedPromptTokens)
    )
    completion += result.output.tokens.count
    accepted += result.output.statistics.acceptedTokens
    rejected += max(
      0, result.output.statistics.verifiedTokens - result.output.statistics.acceptedTokens)
  }

  var promptTokens: Int { prompts.values.reduce(0) { $0 + $1.tokens } }
  var completionTokens: Int { completion }

  var json: JSONValue {
    .object([
      "prompt_tokens": .integer(promptTokens), "completion_tokens": .integer(completion),
      "total_tokens": .integer(promptTokens + completion),
      "prompt_tokens_details": .object([
        "cached_tokens": .integer(prompts.values.reduce(0) { $0 + $1.cached })
      ]),
      "completion_tokens_details": .object([
        "accepted_prediction_tokens": .integer(accepted),
        "rejected_prediction_tokens": .integer(rejected),
      ]),
    ])
  }
}
