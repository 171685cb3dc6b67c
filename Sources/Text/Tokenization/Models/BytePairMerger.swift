package import Files

/// Merges the tokens of one word after another; holds the memory this needs.
///
/// The merge of lowest rank is done first, of equal ones the leftmost, until none applies. Words
/// may be whole texts (Llama's tokenizers do not cut theirs), so the candidates are kept in a heap:
/// n log n steps for n tokens.
package struct BytePairMerger {
  private struct Symbol {
    var token: Token
    var previous: Int32
    var next: Int32
  }

  private static let removed: Token = -1
  /// The word as a doubly linked list; -1 ends it on both sides.
  private var symbols: [Symbol] = []
  /// A binary heap of candidates, least first: rank in the high half, left symbol in the low one.
  private var heap: [UInt64] = []

  package init() {}

  /// Appends what the tokens of a word become by merging.
  package mutating func merge(
    _ word: [Token], with merges: MergeTable, into tokens: inout [Token]
  ) {
    let count = Int32(word.count)
    guard count > 1 else { return tokens.append(contentsOf: word) }
    symbols.removeAll(keepingCapacity: true)
    heap.removeAll(keepingCapacity: true)
    for token in word {
      let index = Int32(symbols.count)
      symbols.append(
        Symbol(token: token, previous: index - 1, next: index + 1 < count ? index + 1 : -1))
    }
    for index in 0..<count - 1 { propose(at: index, merges) }
    while let candidate = pop() { apply(candidate, merges) }
    var index: Int32 = 0
    while index >= 0 {
      tokens.append(symbols[Int(index)].token)
      index = symbols[Int(index)].next
    }
  }

  /// Does a merge unless the word has changed there since it was proposed.
  private mutating func apply(_ candidate: UInt64, _ merges: MergeTable) {
    let left = Int(candidate & 0xFFFF_FFFF)
    guard symbols[left].token != Self.removed, symbols[left].next >= 0 else { return }
    let right = Int(symbols[left].next)
    guard let merge = merges[symbols[left].token, symbols[right].token],
      merge.rank == UInt32(candidate >> 32)
    else { return }
    let next = symbols[right].next
    symbols[left].token = merge.token
    symbols[left].next = next
    symbols[right].token = Self.removed
    if next >= 0 {
      symbols[Int(next)].previous = Int32(left)
      propose(at: Int32(left), merges)
    }
    if symbols[left].previous >= 0 { propose(at: symbols[left].previous, merges) }
  }

  /// Puts the merge of a symbol and the one behind it, if there is one, into the heap.
  private mutating func propose(at left: Int32, _ merges: MergeTable) {
    let symbol = symbols[Int(left)]
    guard let merge = merges[symbol.token, symbols[Int(symbol.next)].token] else { return }
    push(UInt64(merge.rank) << 32 | UInt64(left))
  }

  private mutating func push(_ candidate: UInt64) {
    heap.append(candidate)
    var index = heap.count - 1
    while index > 0 {
      let parent = (index - 1) / 2
      guard candidate < heap[parent] else { break }
      heap[index] = heap[parent]
      index = parent
    }
    heap[index] = candidate
  }

  private mutating func pop() -> UInt64? {
    guard let least = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return least }
    var index = 0
    while true {
      var child = 2 * index + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < last else { break }
      heap[index] = heap[child]
      index = child
    }
    heap[index] = last
    return least
  }
}
