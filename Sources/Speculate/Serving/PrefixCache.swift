import Files
import Foundation
import Tensors

/// Keys and values of texts' beginnings, for later texts that begin alike.
///
/// They are kept in blocks of 64 tokens. A block is found by its tokens and those of all blocks before it, which
/// are compared, not only hashed. It never changes: sequences take copies, which are to the bit what they would
/// compute. Each block may hold what a drafter keeps of its tokens as well, so that drafts are as good as
/// without it. The blocks that were used longest ago go first, those behind others before these.
final class PrefixCache {
  /// Tokens of a block.
  static let block = 64

  /// What all blocks hold.
  private(set) var bytes = 0

  /// Of usual texts, and of long ones where these are rotated otherwise.
  private let roots = [Block(tokens: [], parent: nil), Block(tokens: [], parent: nil)]
  private var blocks: [Block] = []
  private var clock = 0

  private final class Block {
    let tokens: [Token]
    private(set) weak var parent: Block?
    var following: [[Token]: Block] = [:]
    /// The target's keys and values, and the drafter's if it gave any.
    var target: UnsafeMutableRawPointer?
    var drafter: UnsafeMutableRawPointer?
    var bytes = 0
    var lastUse = 0

    init(tokens: [Token], parent: Block?) {
      self.tokens = tokens
      self.parent = parent
    }

    deinit {
      free(target)
      free(drafter)
    }
  }

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
    guard path.count * Self.block > known else { return 0 }
    let first = known / Self.block
    var drafted = source?.settle(Array(text)) ?? 0
    guard !needsDrafter || drafted >= first * Self.block else { return 0 }
    try source?.reserve(text.count)
    cache.rewind(to: first * Self.block)
    drafted = min(drafted, cache.count)
    source?.rewind(to: drafted)
    for block in path[first...] {
      guard let target = block.target else { break }
      if let own = source?.cache, let drafter = block.drafter, drafted == cache.count {
        own.append(Self.block, from: drafter)
        drafted += Self.block
      }
      cache.append(Self.block, from: target)
    }
    if drafted > 0 { source?.adopt(text.prefix(drafted)) }
    return cache.count - known
  }

  /// Keeps copies of what a sequence has read.
  ///
  /// - Parameters:
  ///   - text: its tokens, of which the cache holds the first.
  ///   - makeRoom: sees that there is memory for so many bytes more, or returns `false`.
  func keep(
    _ text: [Token], of cache: KeyValueCache, source: (any DraftSource)?,
    makeRoom: (_ bytes: Int) -> Bool
  ) {
    let count = min(cache.count, text.count) / Self.block
    guard count > 0 else { return }
    clock += 1
    let drafted = source?.settle(text) ?? 0
    var block = root(of: cache)
    for index in 0..<count {
      let positions = index * Self.block..<(index + 1) * Self.block
      let tokens = Array(text[positions])
      let next = block.following[tokens] ?? Block(tokens: tokens, parent: block)
      next.lastUse = clock
      guard copy(positions, of: cache, to: &next.target, next, makeRoom) else { return }
      if block.following[tokens] == nil {
        block.following[tokens] = next
        blocks.append(next)
      }
      if drafted >= positions.upperBound,
        !copy(positions, of: source?.cache, to: &next.drafter, next, makeRoom)
      {
        return
      }
      block = next
    }
  }

  /// Forgets the block that was used longest ago.
  ///
  /// - Returns: whether there was one that isn't in use now.
  func forgetOne() -> Bool {
    let oldest = blocks.indices.filter {
      blocks[$0].following.isEmpty && blocks[$0].lastUse < clock
    }.min { blocks[$0].lastUse < blocks[$1].lastUse }
    guard let oldest else { return false }
    let block = blocks[oldest]
    blocks.swapAt(oldest, blocks.count - 1)
    blocks.removeLast()
    block.parent?.following[block.tokens] = nil
    bytes -= block.bytes
    return true
  }

  /// Nothing is in use any more.
  func tick() { clock += 1 }

  private func root(of cache: KeyValueCache) -> Block { roots[cache.isLong ? 1 : 0] }

  /// The blocks that a text begins with, as far as they are of use.
  private func path(
    of text: ArraySlice<Token>, from root: Block, where isUseful: (Block) -> Bool
  ) -> [Block] {
    var path: [Block] = []
    var block = root
    var rest = text
    while rest.count >= Self.block,
      let next = block.following[Array(rest.prefix(Self.block))], isUseful(next)
    {
      next.lastUse = clock
      path.append(next)
      block = next
      rest = rest.dropFirst(Self.block)
    }
    return path
  }

  /// Copies positions, unless that was done.
  ///
  /// - Returns: whether they are there.
  private func copy(
    _ positions: Range<Int>, of cache: KeyValueCache?, to memory: inout UnsafeMutableRawPointer?,
    _ block: Block, _ makeRoom: (_ bytes: Int) -> Bool
  ) -> Bool {
    guard let cache, memory == nil else { return true }
    let size = cache.bytes(positions.count)
    guard makeRoom(size), let made = try? Memory.take(size, for: "keys and values") else {
      return false
    }
    cache.copy(positions, to: made)
    memory = made
    block.bytes += size
    bytes += size
    return true
  }
}
