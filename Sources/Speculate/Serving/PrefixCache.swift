import Files
import Tensors

/// Keys and values of texts' beginnings, for later texts that begin alike.
///
/// They are kept in blocks of 64 tokens, and what is left at the end of a text in a block of fewer. A block is
/// found by its tokens and those of all blocks before it, which are compared, not only hashed. It never changes:
/// sequences take copies, which are to the bit what they would compute, up to the token where texts part. Each
/// block may hold what a drafter keeps of its tokens as well, so that drafts are as good as without it. The
/// blocks that were used longest ago go first, those behind others before these.
final class PrefixCache {
  /// Tokens of a whole block.
  static let block = 64

  /// What all blocks hold.
  private(set) var bytes = 0

  /// Of usual texts, and of long ones where these are rotated otherwise.
  private let roots = [PrefixBlock(tokens: [], parent: nil), PrefixBlock(tokens: [], parent: nil)]
  private var blocks: [PrefixBlock] = []
  private var clock = 0

  /// Takes copies of what is known of a text behind what a sequence has read.
  ///
  /// - Parameters:
  ///   - text: what the sequence reads.
  ///   - cache: has memory for all of it.
  ///   - source: the sequence's drafter, if it has one.
  /// - Returns: how many tokens more are in the cache.
  func extend(
    _ cache: KeyValueCache, of text: ArraySlice<Token>, source: (any DraftSource)?
  ) throws(SpeculateError) -> Int {
    clock += 1
    // Nothing but features tells such a drafter what it missed.
    let needsDrafter = source.map { !$0.taps.isEmpty } ?? false
    let path = path(of: text, from: root(of: cache)) { $0.drafter != nil || !needsDrafter }
    let known = cache.count
    guard path.reduce(0, { $0 + $1.count }) > known else { return 0 }
    let first = known / Self.block
    var drafted = source?.settle(Array(text)) ?? 0
    guard !needsDrafter || drafted >= first * Self.block else { return 0 }
    try source?.reserve(text.count)
    cache.rewind(to: first * Self.block)
    drafted = min(drafted, cache.count)
    source?.rewind(to: drafted)
    for (block, count) in path[first...] {
      guard let target = block.target else { break }
      if let own = source?.cache, let drafter = block.drafter, drafted == cache.count {
        own.append(count, from: drafter.base, of: block.positions)
        drafted += count
      }
      cache.append(count, from: target.base, of: block.positions)
    }
    if drafted > 0 { source?.adopt(text.prefix(drafted)) }
    return cache.count - known
  }

  /// Keeps copies of what a sequence has read.
  ///
  /// - Parameters:
  ///   - text: its tokens, of which the cache holds the first.
  ///   - keepsRest: whether what is left behind the last whole block is kept too, because the text goes on
  ///     otherwise from here, or not at all.
  ///   - makeRoom: sees that there is memory for so many bytes more, or returns `false`.
  func keep(
    _ text: [Token], of cache: KeyValueCache, source: (any DraftSource)?, keepsRest: Bool,
    makeRoom: (_ bytes: Int) -> Bool
  ) {
    let count = min(cache.count, text.count)
    guard count >= (keepsRest ? 1 : Self.block) else { return }
    clock += 1
    let drafted = source?.settle(text) ?? 0
    var block = root(of: cache)
    for start in stride(from: 0, to: count, by: Self.block) {
      let positions = start..<min(start + Self.block, count)
      let isWhole = positions.count == Self.block
      guard isWhole || keepsRest else { return }
      let tokens = Array(text[positions])
      let own = drafted >= positions.upperBound ? source?.cache : nil
      if !isWhole, block.covers(tokens, drafted: own != nil, at: clock) { return }
      let next = block.following[tokens] ?? PrefixBlock(tokens: tokens, parent: block)
      next.lastUse = clock
      guard copy(start, of: cache, to: &next.target, next, makeRoom) else { return }
      if block.following[tokens] == nil {
        block.following[tokens] = next
        blocks.append(next)
      }
      guard copy(start, of: own, to: &next.drafter, next, makeRoom) else { return }
      for old in block.beginnings(of: next) { forget(old) }
      block = next
    }
  }

  /// Forgets the block that was used longest ago.
  ///
  /// - Returns: whether there was one that isn't in use now.
  func forgetOne() -> Bool {
    let oldest = blocks.lazy.filter { [clock] in $0.following.isEmpty && $0.lastUse < clock }
      .min { $0.lastUse < $1.lastUse }
    guard let oldest else { return false }
    forget(oldest)
    return true
  }

  private func forget(_ block: PrefixBlock) {
    guard let index = blocks.firstIndex(where: { $0 === block }) else { return }
    blocks.swapAt(index, blocks.count - 1)
    blocks.removeLast()
    block.parent?.following[block.tokens] = nil
    bytes -= block.bytes
  }

  /// Nothing is in use any more.
  func tick() { clock += 1 }

  private func root(of cache: KeyValueCache) -> PrefixBlock { roots[cache.isLong ? 1 : 0] }

  /// The blocks that a text begins with, as far as they are of use, and how much of each: all but of the last.
  private func path(
    of text: ArraySlice<Token>, from root: PrefixBlock, where isUseful: (PrefixBlock) -> Bool
  ) -> [(block: PrefixBlock, count: Int)] {
    var path: [(block: PrefixBlock, count: Int)] = []
    var block = root
    var rest = text
    while rest.count >= Self.block,
      let next = block.following[Array(rest.prefix(Self.block))], isUseful(next)
    {
      next.lastUse = clock
      path.append((next, Self.block))
      block = next
      rest = rest.dropFirst(Self.block)
    }
    if let (last, count) = block.longest(of: rest, where: isUseful) {
      last.lastUse = clock
      path.append((last, count))
    }
    return path
  }

  /// Copies the positions of a block, unless that was done.
  ///
  /// - Parameter start: the first of them.
  /// - Returns: whether they are there.
  private func copy(
    _ start: Int, of cache: KeyValueCache?, to memory: inout PrefixMemory?,
    _ block: PrefixBlock, _ makeRoom: (_ bytes: Int) -> Bool
  ) -> Bool {
    guard let cache, memory == nil else { return true }
    let size = cache.bytes(block.positions)
    guard makeRoom(size), let made = PrefixMemory(size) else { return false }
    cache.copy(start..<start + block.positions, to: made.base)
    memory = made
    block.bytes += size
    bytes += size
    return true
  }
}
