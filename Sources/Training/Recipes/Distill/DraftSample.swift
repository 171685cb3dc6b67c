import Files
package import Foundation
import Text

/// A held-out prompt and the rounds of its answer, as text to look at.
package struct DraftSample: Sendable, Equatable, Codable {
  package struct Round: Sendable, Equatable, Codable {
    package var accepted: String
    /// The first draft that was not; `nil` if all were.
    package var rejected: String?
    /// The target's own token.
    package var chosen: String
  }

  package var step: Int
  /// The end of the prompt.
  package var prompt: String
  package var rounds: [Round]
  package var tokens: Int
  package var endsInLoop: Bool

  /// Samples of an evaluation.
  static let count = 4
  private static let promptTokens = 48

  package static func file(in folder: URL) -> URL { folder.appending(path: "samples.json") }

  init(_ answer: HeldoutAnswer, step: Int, tokenizer: any Tokenizer) {
    let response = answer.response
    self.step = step
    prompt = tokenizer.text(response.tokens[..<response.promptLength].suffix(Self.promptTokens))
    rounds = []
    tokens = response.continuation.count
    endsInLoop = answer.endsInLoop
  }

  mutating func add(_ round: AcceptanceReplay.Round, tokenizer: any Tokenizer) {
    rounds.append(
      Round(
        accepted: tokenizer.text(round.drafts.prefix(round.accepted)),
        rejected: round.accepted < round.drafts.count
          ? tokenizer.text([round.drafts[round.accepted]]) : nil,
        chosen: tokenizer.text([round.chosen])))
  }
}

extension Tokenizer {
  /// The text of a part of a sequence, with special tokens spelled.
  fileprivate func text(_ tokens: some Sequence<Token>) -> String {
    String(
      decoding: tokens.flatMap { token -> [UInt8] in
        let bytes = isSpecial(token) ? [] : bytes(of: token)
        return bytes.isEmpty ? Array((piece(of: token) ?? "<\(token)>").utf8) : bytes
      }, as: UTF8.self)
  }
}
