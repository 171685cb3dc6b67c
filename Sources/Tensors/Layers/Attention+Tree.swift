extension Attention {
  /// Keys, values and attention of one head of a tree's rows, in depth-first order.
  ///
  /// Rows of a tree share positions. A row's key is stored at its position right before the row
  /// attends, with those of the rows that follow it one below the other. In depth-first order the
  /// row stored last at every smaller depth is its ancestor, so the cache then holds the row's own
  /// path and, behind what the row sees, the path's continuation: the same numbers at the same
  /// places as when that path is decoded token by token, summed by the same kernel in the same
  /// order. Keys and values are kept aside as well.
  func attendBranches(
    _ plan: RowPlan, in branches: BranchRows, head: Int, index: Int, _ buffers: AttentionBuffers
  ) {
    let dimension = shape.headDimension
    for row in 0..<plan.count {
      rotateKey(of: row, head: head, plan[row], index: index, buffers)
      rotateQueries(of: row, head: head, plan[row], index: index, buffers)
      let offset = row * shape.keyValueWidth + head * dimension
      (branches.key(layer: index, row: row) + head * dimension)
        .update(from: buffers.keys.base + offset, count: dimension)
      (branches.value(layer: index, row: row) + head * dimension)
        .update(from: buffers.values.base + offset, count: dimension)
    }
    var row = 0
    while row < plan.count {
      let run = plan.run(from: row)
      for row in run.rows {
        run.cache._withUnsafeGuaranteedRef { cache in
          branches.store(
            row: row, in: cache, layer: index, head: head, position: plan[row].position)
        }
      }
      attend(run, head: head, index: index, buffers)
      row = run.rows.upperBound
    }
  }
}
