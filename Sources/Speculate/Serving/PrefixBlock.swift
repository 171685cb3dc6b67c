import Files
import Tensors

/// Keys and values of up to 64 tokens behind others, and the blocks that follow them.
final class PrefixBlock {
  let tokens: [Token]
  private(set) weak var parent: PrefixBlock?
  /// By their tokens; nothing follows a block that isn't whole.
  var following: [[Token]: PrefixBlock] = [:]
  /// The target's keys and values, and the drafter's if it gave any.
  var target: PrefixMemory?
  var drafter: PrefixMemory?
  var bytes = 0
  var lastUse = 0

  init(tokens: [Token], parent: PrefixBlock?) {
    self.tokens = tokens
    self.parent = parent
  }

  /// Positions that are stored: more than tokens where these end within what is copied together.
  var positions: Int { KeyValueCache.roundedUp(tokens.count) }

  /// The block behind this one that begins most like a text, and for how many tokens.
  func longest(
    of text: ArraySlice<Token>, where isUseful: (PrefixBlock) -> Bool
  ) -> (block: PrefixBlock, count: Int)? {
    var best: (block: PrefixBlock, count: Int)?
    for next in following.values {
      let count = zip(next.tokens, text).prefix { $0 == $1 }.count
      if count > best?.count ?? 0, isUseful(next) { best = (next, count) }
    }
    return best
  }

  /// Whether a block behind this one begins with these tokens already; it is in use now.
  ///
  /// - Parameter drafted: whether it has to hold what a drafter keeps.
  func covers(_ tokens: [Token], drafted: Bool, at clock: Int) -> Bool {
    let other = following.values.first {
      $0.tokens.starts(with: tokens) && ($0.drafter != nil || !drafted)
    }
    other?.lastUse = clock
    return other != nil
  }

  /// Blocks behind this one of which another holds all.
  func beginnings(of whole: PrefixBlock) -> [PrefixBlock] {
    following.values.filter {
      $0.tokens.count < whole.tokens.count && whole.tokens.starts(with: $0.tokens)
        && (whole.drafter != nil || $0.drafter == nil)
    }
  }
}
