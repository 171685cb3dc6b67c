package import Files
package import Tensors

/// What a drafter has been given of one sequence: its cache, and what waits for the next pass.
///
/// Features of committed positions wait until a block is drafted: projecting many rows at once costs
/// little more than one, and plain steps that never draft cost nothing. Tokens wait for the same reason.
/// The cache is a pure function of the committed tokens. A ``DrafterRunner`` makes contexts and runs
/// their passes.
package final class DrafterContext {
  /// The tokens of the last draft, in order.
  package internal(set) var drafts: [Token] = []

  /// Passes that these took.
  package var passes: Int { block.passes }

  /// The block that was drafted last.
  package internal(set) var block: DenoisedBlock
  /// The row of the pass's first draft among those of all blocks.
  var firstRow = 0
  /// Committed positions when the block began.
  var start = 0

  /// How blocks are denoised. It keeps what it learns of this sequence.
  package internal(set) var policy: any DenoisingPolicy = OnePass()
  /// What the policy knows of the round.
  package var round = DenoisingRound()
  /// Sees the blocks, for analysis, with distributions.
  package var observer: ((DenoisedBlock) -> Void)?
  /// Whether the policy was told what became of the last block.
  private var isJudged = true

  /// Keys and values of committed positions.
  package let cache: KeyValueCache
  /// Features not projected yet: [waitingRows][taps · width].
  let features: FloatBuffer
  var featureRows = 0
  /// Committed tokens that no pass has seen yet: at most `waitingRows`.
  var tokens: [Token] = []

  static let waitingRows = 64

  init(cache: KeyValueCache, featureWidth: Int, block: DenoisedBlock) {
    self.cache = cache
    features = FloatBuffer(count: Self.waitingRows * featureWidth)
    tokens.reserveCapacity(Self.waitingRows)
    drafts.reserveCapacity(block.capacity)
    self.block = block
  }

  /// How many committed positions the drafter has been given.
  package var count: Int { cache.count + featureRows + tokens.count }

  /// Sees that there is memory for blocks behind `positions` committed ones.
  ///
  /// - Throws: `SpeculateError` when there is none.
  package func reserve(_ positions: Int) throws(SpeculateError) {
    try cache.reserve(min(positions + block.capacity + 1, cache.capacity))
  }

  /// Sets how blocks are denoised from the next one on.
  package func denoise(by policy: any DenoisingPolicy) {
    self.policy = policy
    isJudged = true
  }

  /// What is kept of a pass.
  var sight: DenoisingSight { observer == nil ? policy.sight : max(policy.sight, .distributions) }

  /// The row of a place among those of the last pass.
  func row(of place: Int) -> Int { firstRow + place - block.base }

  /// Takes the drafts of a block without masks.
  func finishBlock() {
    drafts.removeAll(keepingCapacity: true)
    for case let draft? in block.drafts { drafts.append(draft) }
    isJudged = false
    observer?(block)
  }

  /// Tells the policy what the text turned out to be behind the last block.
  ///
  /// - Parameter tokens: all committed tokens.
  package func judge(_ tokens: [Token]) {
    guard !isJudged, policy.learns, tokens.count > start + 1 else { return }
    isJudged = true
    policy.observe(
      DenoisingVerdict(block: block, round: round, text: tokens[(start + 1)...]))
  }

  /// Forgets the positions from `position` on.
  ///
  /// - Complexity: O(1).
  package func rewind(to position: Int) {
    precondition(position <= count, "can't rewind forward")
    // Another text.
    if position < start {
      isJudged = true
      policy.forgetText()
      start = 0
    }
    let waiting = max(0, position - cache.count)
    featureRows = min(featureRows, waiting)
    tokens.removeLast(max(0, tokens.count - waiting))
    if position < cache.count { cache.rewind(to: position) }
  }
}

/// A block to be drafted behind the committed tokens of a sequence.
package struct DrafterBlock {
  package var context: DrafterContext
  /// The last committed token, whose features the target has not computed yet.
  package var anchor: Token
  package var count: Int
  /// Whether its rows are asked for after other tokens than were drafted.
  package var branches = false

  package init(context: DrafterContext, anchor: Token, count: Int) {
    self.context = context
    self.anchor = anchor
    self.count = count
  }
}
