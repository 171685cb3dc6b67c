package import Files
import Foundation
import Speculate
package import Text

/// The openings of a user's turn as the prompts of responses: the responses are prompts.
package struct PromptWriting: ResponseTasks {
  /// They differ in what the system says before; each has its turn.
  private let openings: [[Token]]
  package let settings: PromptWritingSettings
  package let endTokens: [Token]
  private let tokenizer: any Tokenizer
  /// Text that ends the message, and how many tokens at the end of a response can hold it.
  private let stop: (text: String, tokens: Int)?

  /// - Parameters:
  ///   - turns: At least one. They end alike.
  ///   - endTokens: The tokens after which an answer in a chat is over.
  package init(
    turns: [UserTurn], settings: PromptWritingSettings, tokenizer: any Tokenizer, endTokens: [Token]
  ) {
    openings = turns.map(\.opening)
    self.settings = settings
    self.tokenizer = tokenizer
    switch turns[0].end {
    case .token(let end):
      self.endTokens = endTokens + (endTokens.contains(end) ? [] : [end])
      stop = nil
    case .text(let text):
      self.endTokens = endTokens
      // A token is a byte of it at least.
      stop = (text, text.utf8.count + 1)
    case .nothing:
      self.endTokens = endTokens
      stop = nil
    }
  }

  package var longestPrompt: Int { openings.map(\.count).max() ?? 1 }
  package var responseLength: Int { settings.length }

  package func task(_ number: Int) -> ResponseTask {
    var random = KeyedRandom(seed: settings.seed, key: "written prompt \(number)")
    return ResponseTask(
      prompt: openings[number % openings.count], document: number,
      sampling: SamplingParameters(
        temperature: settings.temperature, topP: settings.topP, seed: random.next()))
  }

  package func isOver(_ response: ArraySlice<Token>) -> Bool {
    guard let stop else { return false }
    return tokenizer.decode(response.suffix(stop.tokens), skipSpecial: true).contains(stop.text)
  }

  /// What was written, from the response.
  package func prompt(_ response: Response) -> WrittenPrompt {
    let made = response.continuation
    if let last = made.last, endTokens.contains(last) {
      return WrittenPrompt(tokens: Array(made.dropLast()), ending: .turn)
    }
    if isOver(made) { return WrittenPrompt(tokens: Array(made), ending: .turn) }
    return WrittenPrompt(
      tokens: Array(made), ending: made.count < settings.length ? .loop : .length)
  }

  func isSpecial(_ token: Token) -> Bool { tokenizer.isSpecial(token) }

  /// The message as text, without what ends it and without blanks around it.
  package func text(_ prompt: WrittenPrompt) -> String {
    var text = tokenizer.decode(prompt.tokens, skipSpecial: false)
    if let stop, let range = text.range(of: stop.text) { text = String(text[..<range.lowerBound]) }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
