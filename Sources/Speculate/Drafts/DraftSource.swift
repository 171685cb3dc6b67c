public import Files

/// Something that guesses how a sequence goes on: a drafter model, a table of past text, a test.
///
/// A source is fed what the target has computed about committed positions and nothing else, so it
/// never has anything to take back after a rejection. It belongs to one sequence at a time.
public protocol DraftSource: AnyObject {
  /// The target layers whose outputs ``commit(features:rows:)`` wants, 0-based; may be empty.
  var taps: [Int] { get }

  /// The most drafts of one block.
  var maximumDrafts: Int { get }

  /// Takes the features of the next `rows` committed positions, in order from position 0.
  ///
  /// - Parameter features: the target's tapped layer outputs: [rows][taps · width].
  func commit(features: UnsafePointer<Float>, rows: Int)

  /// Forgets committed positions from `count` on; `rewind(to: 0)` starts another sequence.
  func rewind(to count: Int)

  /// Proposes the tokens after `tokens`.
  ///
  /// - Parameters:
  ///   - tokens: all committed tokens. Features were committed for all but the last, the anchor.
  ///   - count: how many to propose, `1...maximumDrafts`.
  ///   - chooser: turns logits into draft tokens, for sources that have logits.
  ///   - block: receives the drafts; empty when called. Fewer than `count` is allowed.
  func draft(
    after tokens: [Token], count: Int, chooser: inout DraftChooser, into block: inout DraftBlock)
}

/// Proposed tokens.
public struct DraftBlock: Sendable, Equatable {
  /// The tokens, the first at the position after the anchor.
  public var tokens: [Token] = []
  /// Their probabilities by the source's own account, one for each token, or none at all.
  public var confidences: [Float] = []
  /// Where the tokens came from; sources other than drafter models say so.
  public var origin = DraftOrigin.drafter

  /// An empty block.
  public init() {}

  /// Drops all tokens and keeps the memory.
  mutating func removeAll() {
    tokens.removeAll(keepingCapacity: true)
    confidences.removeAll(keepingCapacity: true)
    origin = .drafter
  }

  /// Drops the tokens from `count` on.
  mutating func truncate(to count: Int) {
    guard count < tokens.count else { return }
    tokens.removeLast(tokens.count - count)
    if confidences.count > count { confidences.removeLast(confidences.count - count) }
  }
}
