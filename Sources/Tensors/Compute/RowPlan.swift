/// Where the rows of one pass stand: each row's cache, position and the keys it sees.
///
/// Filled before a pass and read by all workers during it; never grows.
public final class RowPlan: @unchecked Sendable {
  // Unchecked: written between passes, read during them.
  struct Row {
    var cache: Unmanaged<KeyValueCache.Storage>
    var position: Int
    var first: Int
    var end: Int
  }

  private let rows: UnsafeMutableBufferPointer<Row>

  /// How many rows the next pass has.
  public private(set) var count = 0

  /// How many keys, its own included, a row of the next layer sees at most; nil for all.
  public var window: Int?

  /// Where rows are kept aside that share positions, for a pass over a tree whose rows stand in
  /// depth-first order; nil for passes whose rows all have places of their own.
  public var branches: BranchRows?

  /// Makes room for `maximumRows` rows.
  public init(maximumRows: Int) { rows = .allocate(capacity: maximumRows) }

  deinit { rows.deallocate() }

  /// Starts the plan of another pass.
  public func reset() {
    count = 0
    window = nil
    branches = nil
  }

  /// Adds a row that stands at `position` of `cache` and sees the keys `visible`.
  ///
  /// The caller keeps the cache alive during the pass.
  public func append(cache: KeyValueCache, position: Int, visible: Range<Int>) {
    precondition(count < rows.count, "more rows than the pass has room for")
    precondition(
      position < cache.capacity && visible.upperBound <= cache.capacity, "the cache is full")
    rows.initializeElement(
      at: count,
      to: Row(
        cache: .passUnretained(cache.storage), position: position, first: visible.lowerBound,
        end: visible.upperBound))
    count += 1
  }

  subscript(index: Int) -> Row { rows[index] }

  /// The keys that a row of the next layer sees.
  func visible(_ row: Row) -> Range<Int> {
    guard let window else { return row.first..<row.end }
    return max(row.first, row.end - window)..<row.end
  }
}
