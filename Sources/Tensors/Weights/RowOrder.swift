/// Where a stored matrix has the rows of the model's, if not in their order and by themselves.
package struct RowOrder: Sendable, Equatable {
  /// Heads whose rows lie in pairs that are rotated together: row `2i + j` of a head's rotated rows is the
  /// model's row `j · rotated/2 + i`.
  package struct Pairs: Sendable, Equatable {
    /// Rows of a head.
    package var head: Int
    /// The first of them, which are rotated; even.
    package var rotated: Int

    package init(head: Int, rotated: Int) {
      self.head = head
      self.rotated = rotated
    }
  }

  /// What is paired; nil for nothing.
  package var pairs: Pairs?
  /// The stored row that the first run begins at.
  package var first = 0
  /// Rows that follow each other as they do in the model; nil for all.
  package var run: Int?
  /// Stored rows from the begin of one run to that of the next.
  package var stride = 0

  package init(first: Int = 0, run: Int? = nil, stride: Int = 0, pairs: Pairs? = nil) {
    self.first = first
    self.run = run
    self.stride = stride
    self.pairs = pairs
  }

  /// As the model has them.
  package static let plain = RowOrder()

  /// Rows of heads, in pairs.
  package static func paired(headDimension: Int) -> RowOrder {
    RowOrder(pairs: Pairs(head: headDimension, rotated: headDimension))
  }

  /// The stored row of a row of the model.
  package func place(of row: Int) -> Int {
    let row = pairs.map { paired(row, $0) } ?? row
    guard let run else { return first + row }
    return first + row / run * stride + row % run
  }

  private func paired(_ row: Int, _ pairs: Pairs) -> Int {
    let inside = row % pairs.head
    guard inside < pairs.rotated else { return row }
    let (half, pair) = inside.quotientAndRemainder(dividingBy: pairs.rotated / 2)
    return row - inside + 2 * pair + half
  }
}
