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
    /// What the target itself writes in the user's place.
    case written(PromptWritingOptions)

    /// What is read, by the setting that names it.
    func inputs(isHeldOut: Bool) -> [OutputClaim.Input] {
      switch self {
      case .text(let url): [OutputClaim.Input(isHeldOut ? "heldout" : "data", url)]
      case .tokens(let url): [OutputClaim.Input(isHeldOut ? "heldout tokens" : "tokens", url)]
      case .written(let options): options.excluded.map { OutputClaim.Input("exclude", $0) }
      }
    }

    /// Whether the target writes them.
    package var isWritten: Bool { if case .written = self { true } else { false } }
  }

  /// A source of prompts, and how many of them it gives beside the others.
  package struct Source: Sendable, Equatable {
    package var data: Data
    package var weight: Double

    package init(_ data: Data, weight: Double = 1) {
      self.data = data
      self.weight = weight
    }
  }

  package enum Drafting: Sendable, Equatable {
    case none
    /// Matches of the text's end in earlier text.
    case suffix
    /// A drafter in a folder, beside such matches.
    case drafter(URL)
  }

  /// Where prompts come from; at most one of them is the target.
  package var sources: [Source]
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
  /// The share of responses that are sampled at the temperature; the others are greedy.
  package var sampledShare: Float = 1
  package var seed: UInt64 = 1

  package init(data: Data) { sources = [Source(data)] }

  package init(sources: [Source]) { self.sources = sources }

  /// What they are made from.
  func inputs(isHeldOut: Bool = false) -> [OutputClaim.Input] {
    var inputs = sources.flatMap { $0.data.inputs(isHeldOut: isHeldOut) }
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
  /// What became of the prompts that the target wrote, as far as they were looked at; nil where it
  /// writes none.
  package var prompts: PromptCounts?
  /// How many prompts there are and how many are wanted next, while the target writes some.
  package var writing: Writing?

  package struct Writing: Sendable, Equatable, Codable {
    package var written: Int
    package var wanted: Int
  }

  package init(responses: Int, wanted: Int, tokens: Int, tooLongChats: Int = 0) {
    self.responses = responses
    self.wanted = wanted
    self.tokens = tokens
    self.tooLongChats = tooLongChats
  }
}
