extension DecoderLayer {
  /// Norms and rotates keys and queries of a tree's rows, and keeps keys and values aside.
  func rotateBranches(
    _ plan: RowPlan, into branches: BranchRows, index: Int, scratch: LayerScratch,
    workers: Workers
  ) {
    let width = shape.keyValueWidth
    workers.run { worker in
      for row in (0..<plan.count).share(of: worker, among: workers.count) {
        rotateKeys(of: row, plan[row], scratch: scratch)
        rotateQueries(of: row, plan[row], scratch: scratch)
        branches.key(layer: index, row: row)
          .update(from: scratch.keys.base + row * width, count: width)
        branches.value(layer: index, row: row)
          .update(from: scratch.values.base + row * width, count: width)
      }
    }
  }

  /// Attention of a tree's rows, in depth-first order.
  ///
  /// Each row's key is stored at its position right before the row attends. In depth-first order the
  /// row stored last at every smaller depth is its ancestor, so the cache then holds the row's own
  /// path and nothing else: the same numbers at the same places as when that path is decoded token
  /// by token, summed by the same kernel in the same order. A head's rows follow each other, so
  /// workers share the heads.
  func attendBranches(
    _ plan: RowPlan, from branches: BranchRows, index: Int, scratch: LayerScratch,
    workers: Workers
  ) {
    workers.run { worker in
      for head in (0..<shape.keyValueHeads).share(of: worker, among: workers.count) {
        for row in 0..<plan.count {
          let place = plan[row]
          place.cache._withUnsafeGuaranteedRef { cache in
            branches.store(
              row: row, in: cache, layer: index, head: head, position: place.position)
          }
          attend(row: row, head: head, plan, index: index, scratch: scratch)
        }
      }
    }
  }
}
