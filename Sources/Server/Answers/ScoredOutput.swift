import Files
import Speculate

/// A token and its scores, as answers tell them.
struct ScoredOutput: Sendable {
  let id: Token
  let scores: TokenScores?
}

/// Log-probabilities in the shape of chats.
enum ChatScores {
  /// One element of `logprobs.content`.
  static func json(_ output: ScoredOutput, _ spelling: TokenSpelling) -> JSONValue {
    var members = token(output.id, output.scores?.logProbability ?? -.infinity, spelling)
    members["top_logprobs"] = .array(
      (output.scores?.top ?? []).map { .object(token($0.id, $0.logProbability, spelling)) })
    return .object(members)
  }

  private static func token(
    _ id: Token, _ logProbability: Float, _ spelling: TokenSpelling
  ) -> [String: JSONValue] {
    [
      "token": .string(spelling.text(of: id)), "logprob": .logProbability(logProbability),
      "bytes": .array(spelling.bytes(of: id).map { .integer(Int($0)) }),
    ]
  }
}

/// Log-probabilities in the shape of completions: lists beside each other.
enum CompletionScores {
  /// - Parameters:
  ///   - offset: where the first token begins in the answer's text, in characters; moved behind the last.
  ///   - count: how many of the most probable tokens were asked for.
  static func json(
    _ outputs: [ScoredOutput], _ spelling: TokenSpelling, count: Int, offset: inout Int
  ) -> JSONValue {
    var offsets: [JSONValue] = []
    for output in outputs {
      offsets.append(.integer(offset))
      offset += spelling.text(of: output.id).unicodeScalars.count
    }
    return .object([
      "tokens": .array(outputs.map { .string(spelling.name(of: $0.id)) }),
      "token_logprobs": .array(
        outputs.map { $0.scores.map { .logProbability($0.logProbability) } ?? .null }),
      "top_logprobs": count == 0 ? .null : .array(outputs.map { top($0, spelling) }),
      "text_offset": .array(offsets),
    ])
  }

  /// The most probable tokens by name, and the chosen one, which may be none of them.
  private static func top(_ output: ScoredOutput, _ spelling: TokenSpelling) -> JSONValue {
    guard let scores = output.scores else { return .null }
    var members: [String: JSONValue] = [
      spelling.name(of: output.id): .logProbability(scores.logProbability)
    ]
    for token in scores.top where members[spelling.name(of: token.id)] == nil {
      members[spelling.name(of: token.id)] = .logProbability(token.logProbability)
    }
    return .object(members)
  }
}
