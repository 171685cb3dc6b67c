import Files
package import Foundation
package import Speculate

/// What responses a target is to make.
package struct ResponseOptions: Sendable {
  package enum Data: Sendable, Equatable {
    /// Text or JSON lines with a field `text` or `prompt`, plain or `.zst`.
    case text(URL)
    /// Little-endian 16-bit tokens, documents joined by the target's end token.
    case tokens(URL)

    package var url: URL {
      switch self {
      case .text(let url), .tokens(let url): url
      }
    }
  }

  package enum Drafting: Sendable, Equatable {
    case none
    /// Matches of the text's end in earlier text.
    case suffix
    /// A drafter in a folder, beside such matches.
    case drafter(URL)
  }

  package var data: Data
  /// How many responses to make.
  package var count = 4000
  package var promptLengths = 16...128
  /// The most tokens of a response.
  package var length = 160
  package var batch = 32
  /// What drafts while the target answers; it decides speed, never a response.
  package var drafting = Drafting.none
  /// Where pass times are kept that drafting measures; nil to measure them every time.
  package var costCache: CostModelCache?
  /// 0 for greedy responses.
  package var temperature: Float = 0
  package var seed: UInt64 = 1

  package init(data: Data) { self.data = data }

  /// What they are made from.
  func inputs(isHeldOut: Bool = false) -> [OutputClaim.Input] {
    let setting =
      switch data {
      case .text: isHeldOut ? "heldout" : "data"
      case .tokens: isHeldOut ? "heldout tokens" : "tokens"
      }
    var inputs = [OutputClaim.Input(setting, data.url)]
    if case .drafter(let folder) = drafting {
      inputs.append(OutputClaim.Input("answer drafter", folder))
    }
    return inputs
  }
}

/// How far the making of responses is.
package struct ResponseProgress: Sendable, Equatable, Codable {
  /// Responses there are, those of earlier sessions included.
  package var responses: Int
  package var wanted: Int
  /// Tokens chosen in this session.
  package var tokens: Int
  /// Chats that are longer than prompts may be, and left out.
  package var tooLongChats: Int

  package init(responses: Int, wanted: Int, tokens: Int, tooLongChats: Int = 0) {
    self.responses = responses
    self.wanted = wanted
    self.tokens = tokens
    self.tooLongChats = tooLongChats
  }
}
