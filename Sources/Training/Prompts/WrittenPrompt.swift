package import Files
package import Foundation
import Speculate

/// What a target wrote in the user's place, as it came: ``PromptCleaner`` says what becomes of it.
package struct WrittenPrompt: Sendable, Equatable {
  /// Why the target stopped.
  package enum Ending: Int32, Sendable {
    /// It ended the turn.
    case turn = 0
    /// The message had as many tokens as it may have.
    case length = 1
    /// It fell into a loop.
    case loop = 2
  }

  /// The message's tokens, without the end of the turn.
  package var tokens: [Token]
  package var ending: Ending

  package init(tokens: [Token], ending: Ending) {
    self.tokens = tokens
    self.ending = ending
  }
}

package typealias WrittenPromptStore = ShardStore<WrittenPrompt>

extension WrittenPrompt: ShardElement {
  package typealias Settings = PromptWritingSettings

  package static var kind: ShardKind {
    ShardKind(magic: "SPPROMPT", name: "prompts", command: "speculate distill data --prompts self")
  }

  /// Ending, nothing, token count, tokens.
  package var numbers: [Int32] { [ending.rawValue, 0, Int32(tokens.count)] + tokens }

  package init?(numbers: [Int32]) {
    guard numbers.count >= 3, let ending = Ending(rawValue: numbers[0]), numbers[1] == 0 else {
      return nil
    }
    self.init(tokens: Array(numbers[3...]), ending: ending)
  }

  package var tokenCount: Int { tokens.count }
}

/// How a target writes prompts itself (Magpie, arXiv 2406.08464).
package struct PromptWritingOptions: Sendable, Equatable {
  /// At 1 the messages are most varied; small models lose their thread there.
  package var temperature: Float = 0.9
  package var topP: Float = 0.95
  /// Tokens of a message at most.
  package var length = 192
  /// What the system says before the user writes, in turn; empty for what the template writes by itself. It
  /// steers what prompts are about, and is not there when they are answered.
  package var systems = [""]
  /// Files of prompts that no message may come near.
  package var excluded: [URL] = []

  package init() {}
}

/// Everything that written prompts depend on: two folders with equal settings hold the same ones.
package struct PromptWritingSettings: ShardSettings {
  /// The target's weights.
  package var target: UInt64
  /// What the chat template writes around a user's message, after each system message.
  package var turn: UInt64
  package var seed: UInt64
  package var temperature: Float
  package var topP: Float
  package var length: Int

  package init(
    target: UInt64, turn: UInt64, seed: UInt64, temperature: Float, topP: Float, length: Int
  ) {
    self.target = target
    self.turn = turn
    self.seed = seed
    self.temperature = temperature
    self.topP = topP
    self.length = length
  }

  package var named: [String: String] {
    var settings = RunSettings()
    settings.note("target", fingerprint: target)
    settings.note("prompt system", fingerprint: turn)
    settings.note("seed", seed)
    settings.note("prompt temperature", temperature)
    settings.note("prompt top-p", topP)
    settings.note("prompt length", length)
    return settings.values
  }
}
