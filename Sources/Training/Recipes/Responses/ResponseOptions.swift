public import Foundation

/// What responses a target is to make.
public struct ResponseOptions: Sendable {
  /// Where prompts come from.
  public enum Data: Sendable, Equatable {
    /// Text or JSON lines with a field `text` or `prompt`, plain or `.zst`.
    case text(URL)
    /// Little-endian 16-bit tokens, documents joined by the target's end token.
    case tokens(URL)

    /// The file.
    public var url: URL {
      switch self {
      case .text(let url), .tokens(let url): url
      }
    }
  }

  /// Where the prompts come from.
  public var data: Data
  /// How many responses to make.
  public var count = 4000
  /// Tokens of a prompt.
  public var promptLengths = 16...128
  /// The most tokens of a response.
  public var length = 160
  /// Responses made at a time.
  public var batch = 32
  /// 0 for greedy responses.
  public var temperature: Float = 0
  /// The seed of prompts and noise.
  public var seed: UInt64 = 1

  /// The default number and lengths.
  public init(data: Data) { self.data = data }
}
