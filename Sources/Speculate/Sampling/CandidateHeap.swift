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

  private(set) var items: [Candidate] = []

  mutating func reserveCapacity(_ count: Int) { items.reserveCapacity(count) }

  var isEmpty: Bool { items.isEmpty }
  var count: Int { items.count }

  mutating func removeAll() { items.removeAll(keepingCapacity: true) }

  /// Adds an item without ordering; ``order()`` must follow before ``takeFirst()``.
  @inline(__always)
  mutating func collect(_ item: Candidate) { items.append(item) }

  /// Makes a heap of what was collected. `O(count)`.
  mutating func order() {
    items.withUnsafeMutableBufferPointer { buffer in
      for root in stride(from: buffer.count / 2 - 1, through: 0, by: -1) {
        Self.sift(buffer, root)
      }
    }
  }

  /// Removes and returns the first candidate. `O(log count)`.
  mutating func takeFirst() -> Candidate? {
    guard let first = items.first, let last = items.popLast() else { return nil }
    if !items.isEmpty {
      items[0] = last
      items.withUnsafeMutableBufferPointer { Self.sift($0, 0) }
    }
    return first
  }

  private static func sift(_ heap: UnsafeMutableBufferPointer<Candidate>, _ start: Int) {
    let item = heap[start]
    var hole = start
    while true {
      var child = 2 * hole + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
      guard heap[child].precedes(item) else { break }
      heap[hole] = heap[child]
      hole = child
    }
    heap[hole] = item
  }
}
