package import Drafter

/// The order in which the drafts of a block were fixed, and how much like reading it is (DiffuCoder, arXiv
/// 2506.20639).
package struct RevealOrder: Sendable, Equatable {
  /// The places in their order.
  package let order: [Int]

  package init(_ order: [Int]) { self.order = order }

  /// Those of a drafted block; of drafts that were fixed together the first comes first, and presets are left
  /// out.
  package init(_ block: DenoisedBlock) {
    order = block.drafts.indices.filter { !block.isPreset[$0] }
      .sorted { (block.fixedAfter[$0], $0) < (block.fixedAfter[$1], $1) }
  }

  /// The share of reveals that continue a run of `length` places from left to right, among those that have so
  /// many before them; `nil` if none has.
  package func local(_ length: Int = 1) -> Double? {
    guard order.count > length else { return nil }
    let runs = (length..<order.count).count { index in
      (1...length).allSatisfy { order[index - $0] == order[index] - $0 }
    }
    return Double(runs) / Double(order.count - length)
  }

  /// The share of reveals among the `length` leftmost masks of their time; `nil` without any.
  package func global(_ length: Int = 1) -> Double? {
    guard !order.isEmpty else { return nil }
    let near = order.indices.count { index in
      order[index...].count { $0 < order[index] } < length
    }
    return Double(near) / Double(order.count)
  }
}
