public import Files
import Tensors

/// What a drafter has been given of one sequence: its cache, and what waits for the next pass.
///
/// Features of committed positions wait until a block is drafted: projecting many rows at once costs
/// little more than one, and plain steps that never draft cost nothing. Tokens wait for the same reason.
/// The cache is a pure function of the committed tokens. A ``DrafterRunner`` makes contexts and runs
/// their passes.
public final class DrafterContext {
  /// The tokens of the last draft, in order.
  public internal(set) var drafts: [Token] = []

  /// What the confidence head says of each of these: log-odds.
  var odds: [Float] = []

  let cache: KeyValueCache
  /// Features not projected yet: [waitingRows][taps · width].
  let features: FloatBuffer
  var featureRows = 0
  /// Committed tokens that no pass has seen yet: at most `waitingRows`.
  var tokens: [Token] = []

  /// The most positions that wait.
  static let waitingRows = 64

  init(cache: KeyValueCache, featureWidth: Int, blockSize: Int) {
    self.cache = cache
    features = FloatBuffer(count: Self.waitingRows * featureWidth)
    tokens.reserveCapacity(Self.waitingRows)
    drafts.reserveCapacity(blockSize)
    odds.reserveCapacity(blockSize)
  }

  /// How many committed positions the drafter has been given.
  public var count: Int { cache.count + featureRows + tokens.count }

  /// Forgets the positions from `position` on.
  ///
  /// - Complexity: O(1).
  public func rewind(to position: Int) {
    precondition(position <= count, "can't rewind forward")
    let waiting = max(0, position - cache.count)
    featureRows = min(featureRows, waiting)
    tokens.removeLast(max(0, tokens.count - waiting))
    if position < cache.count { cache.rewind(to: position) }
  }
}
