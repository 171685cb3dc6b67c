/// The candidates of one row, largest logit first, taken one at a time.
///
/// A binary heap over reused storage: taking the `n` largest of `m` costs `O(m + n log m)` instead
/// of a sort's `O(m log m)`, and allocates nothing once it has grown to the vocabulary. Equal
/// logits come in order of index, so that every cut is deterministic.
struct CandidateHeap {
  struct Candidate {
    var logit: Float
    var index: Int32

    /// Whether this one comes first: larger logit, or equal logit and lower index.
    @inline(__always)
    func precedes(_ other: Candidate) -> Bool {
      logit > other.logit || (logit == other.logit && index < other.index)
    }
  }

  private var items: [Candidate] = []

  mutating func reserveCapacity(_ count: Int) { items.reserveCapacity(count) }

  mutating func removeAll() { items.removeAll(keepingCapacity: true) }

  /// Adds an item without ordering; ``order()`` must follow before ``takeFirst()``.
  @inline(__always)
  mutating func collect(_ item: Candidate) { items.append(item) }

  /// Makes a heap of what was collected. `O(count)`.
  mutating func order() {
    items.withUnsafeMutableBufferPointer { $0.makeHeap { $0.precedes($1) } }
  }

  /// Removes and returns the first candidate. `O(log count)`.
  mutating func takeFirst() -> Candidate? {
    guard let first = items.first, let last = items.popLast() else { return nil }
    if !items.isEmpty {
      items[0] = last
      items.withUnsafeMutableBufferPointer { $0.sift(0) { $0.precedes($1) } }
    }
    return first
  }
}

/// A binary heap, whose first element comes before all others.
extension UnsafeMutableBufferPointer {
  @inline(__always)
  func makeHeap(_ precedes: (Element, Element) -> Bool) {
    for root in stride(from: count / 2 - 1, through: 0, by: -1) { sift(root, precedes) }
  }

  /// Moves an element down to where it belongs.
  @inline(__always)
  func sift(_ start: Int, _ precedes: (Element, Element) -> Bool) {
    let item = self[start]
    var hole = start
    while true {
      var child = 2 * hole + 1
      guard child < count else { break }
      if child + 1 < count, precedes(self[child + 1], self[child]) { child += 1 }
      guard precedes(self[child], item) else { break }
      self[hole] = self[child]
      hole = child
    }
    self[hole] = item
  }
}
