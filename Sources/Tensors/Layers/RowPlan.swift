/// Where the rows of one pass stand: each row's cache, position and the keys it sees.
///
/// Filled before a pass and read by all workers during it; never grows.
package final class RowPlan: @unchecked Sendable {
  // Unchecked: written between passes, read during them.
  struct Row {
    var cache: Unmanaged<KeyValueCache.Storage>
    var position: Int
    var first: Int
    var end: Int
    /// In its block, −1 for a row of none.
    var place: Int
  }

  private let rows: UnsafeMutableBufferPointer<Row>

  /// How many rows the next pass has.
  package private(set) var count = 0

  /// How many keys, its own included, a row of the next layer sees at most; nil for all.
  var window: Int?

  /// Whether a row of the next layer sees no key behind its own, whatever it may see in other layers.
  var hidesLater = false

  /// Where rows are kept aside that share positions, for a pass over a tree whose rows stand in
  /// depth-first order; nil for passes whose rows all have places of their own.
  package var branches: BranchRows?

  package init(maximumRows: Int) { rows = .allocate(capacity: maximumRows) }

  deinit { rows.deallocate() }

  /// Starts the plan of another pass.
  package func reset() {
    count = 0
    window = nil
    hidesLater = false
    branches = nil
  }

  /// Adds a row that stands at `position` of `cache` and sees the keys `visible`.
  ///
  /// The caller keeps the cache alive during the pass.
  ///
  /// - Parameter place: its place in a block, whose rows follow each other; −1 for a row of none.
  package func append(
    cache: KeyValueCache, position: Int, visible: Range<Int>, place: Int = -1
  ) {
    precondition(count < rows.count, "more rows than the pass has room for")
    precondition(
      position < cache.room && visible.upperBound <= cache.room, "the cache is full")
    rows.initializeElement(
      at: count,
      to: Row(
        cache: .passUnretained(cache.storage), position: position, first: visible.lowerBound,
        end: visible.upperBound, place: place))
    count += 1
  }

  subscript(index: Int) -> Row { rows[index] }

  /// Rows that follow each other in one cache and see its keys from the same one on.
  struct Run {
    var rows: Range<Int>
    var cache: Unmanaged<KeyValueCache.Storage>
    /// The keys that the first row of the next layer sees.
    var visible: Range<Int>
    /// How many keys more each row sees than the one before it.
    var step: Int
  }

  /// The longest run of the next layer's rows from `start` on.
  ///
  /// Rows of a tree follow each other only where each stands one position behind the one before:
  /// siblings, which stand at the same position, never see the same keys.
  func run(from start: Int, atMost limit: Int = .max) -> Run {
    let first = visible(rows[start])
    let cache = rows[start].cache
    var step = branches == nil ? nil : 1
    var end = start + 1
    while end < count, end - start < limit {
      let next = visible(rows[end])
      let grown = next.upperBound - visible(rows[end - 1]).upperBound
      guard rows[end].cache.toOpaque() == cache.toOpaque(), next.lowerBound == first.lowerBound,
        grown >= 0, grown == step ?? grown
      else { break }
      step = grown
      end += 1
    }
    return Run(rows: start..<end, cache: cache, visible: first, step: step ?? 0)
  }

  private func visible(_ row: Row) -> Range<Int> {
    let end = hidesLater ? min(row.end, row.position + 1) : row.end
    guard let window else { return row.first..<end }
    // Of what stands behind the row it sees no more than of what stands before it.
    return max(row.first, row.position + 1 - window)..<min(end, row.position + window)
  }
}
