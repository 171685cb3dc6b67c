import Files
import Speculate

/// Answers of `/v1/chat/completions`.
struct ChatShape: AnswerShape {
  let kinds = (whole: "chat.completion", part: "chat.completion.chunk")
  let spelling: TokenSpelling
  let tellsScores: Bool

  func opening(_ choice: inout Choice) -> JSONValue? {
    json(
      choice, "delta", ["role": .string("assistant"), "content": .string("")], scored: nil,
      reason: nil)
  }

  func part(_ choice: inout Choice, _ delta: ChoiceOutput.Delta) -> JSONValue {
    var members: [String: JSONValue] = [:]
    if !delta.text.isEmpty { members["content"] = .string(delta.text) }
    if !delta.calls.isEmpty {
      members["tool_calls"] = .array(
        delta.calls.enumerated().map { offset, call in
          Self.call(call, index: choice.toldCalls + offset)
        })
      choice.toldCalls += delta.calls.count
    }
    return json(choice, "delta", members, scored: delta.scored, reason: nil)
  }

  func ending(_ choice: Choice, reason: String) -> JSONValue {
    json(choice, "delta", [:], scored: nil, reason: reason)
  }

  func whole(
    _ choice: inout Choice, _ delta: ChoiceOutput.Delta, reason: String
  ) -> JSONValue {
    var members: [String: JSONValue] = [
      "role": .string("assistant"), "refusal": .null,
      "content": delta.text.isEmpty && !delta.calls.isEmpty ? .null : .string(delta.text),
    ]
    if !delta.calls.isEmpty {
      members["tool_calls"] = .array(delta.calls.map { Self.call($0, index: nil) })
    }
    return json(choice, "message", members, scored: delta.scored, reason: reason)
  }

  private func json(
    _ choice: Choice, _ name: String, _ members: [String: JSONValue], scored: [ScoredOutput]?,
    reason: String?
  ) -> JSONValue {
    var scores = JSONValue.null
    if tellsScores, let scored {
      scores = .object([
        "content": .array(scored.map { ChatScores.json($0, spelling) }), "refusal": .null,
      ])
    }
    return .object([
      "index": .integer(choice.index), name: .object(members), "logprobs": scores,
      "finish_reason": reason.map(JSONValue.string) ?? .null,
    ])
  }

  /// A call; parts of streams say which of the answer's it is.
  private static func call(_ call: ToolCall, index: Int?) -> JSONValue {
    var members: [String: JSONValue] = [
      "id": .string("call_\(String(UInt64.random(in: 0 ... .max), radix: 36))"),
      "type": .string("function"),
      "function": .object([
        "name": .string(call.name), "arguments": .string(call.arguments),
      ]),
    ]
    members["index"] = index.map(JSONValue.integer)
    return .object(members)
  }
}
