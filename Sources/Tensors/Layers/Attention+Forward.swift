internal import CKernels

extension Attention {
  /// Lets the rows of `plan` look at those before them, and leaves the stream as it is.
  ///
  /// - Parameter index: The layer's place in the caches and among the layers of `scratch`.
  func mix(
    _ plan: RowPlan, norms: SublayerNorms, index: Int, scratch: LayerScratch, workers: Workers
  ) {
    plan.window = window
    plan.hidesLater = hidesLater
    let buffers = scratch.attention(of: index)
    let ownsHeads =
      shape.keyValueHeads.isMultiple(of: workers.count) && shape.headDimension.isMultiple(of: 16)
    if ownsHeads && !normsTogether {
      // A worker needs no other's queries, keys or values.
      workers.run { worker in
        let heads = (0..<shape.keyValueHeads).share(of: worker, among: workers.count)
        let normed = scratch.norm(rows: 0..<plan.count, norms, worker: worker)
        project(normed, plan, heads: heads, index: index, buffers)
        attend(
          plan, heads: heads, index: index, buffers,
          next: output.bytes(of: (0..<output.panelCount).share(of: worker, among: workers.count)))
      }
    } else {
      project(rows: plan.count, norms: norms, scratch: scratch, buffers, workers: workers)
      if normsTogether { normTogether(rows: plan.count, buffers, workers: workers) }
      attend(plan, index: index, buffers, workers: workers)
    }
  }

  /// Adds to `scratch.residual` what attention makes of the rows that were just mixed.
  func add(rows: Int, norms: SublayerNorms, index: Int, scratch: LayerScratch, workers: Workers) {
    norms.add(
      output, outputBias, scratch.attention(of: index).attended, rows: rows, scratch: scratch,
      workers: workers)
  }

  /// Projects context features to keys and values and stores them, without queries or output.
  ///
  /// - Parameter features: `[plan.count][hidden]`.
  func storeContext(
    _ features: ActivationRows, _ plan: RowPlan, index: Int, scratch: LayerScratch, workers: Workers
  ) {
    let rows = plan.count
    let buffers = scratch.attention(of: index)
    workers.run { worker in
      var share = PanelShare(
        panels: key.panelCount + value.panelCount, worker: worker, of: workers.count)
      multiply(
        key, keyBias, features, into: buffers.keys, rows: rows, panels: share.next(key))
      multiply(
        value, valueBias, features, into: buffers.values, rows: rows,
        panels: share.next(value))
    }
    workers.run { worker in
      for row in (0..<rows).share(of: worker, among: workers.count) {
        for head in 0..<shape.keyValueHeads {
          rotateKey(of: row, head: head, plan[row], index: index, buffers)
          storeKey(of: row, head: head, plan[row], index: index, buffers)
        }
      }
    }
  }

  /// Queries, keys and values of some key-value heads.
  ///
  /// While queries are multiplied, what the first of the heads will attend to is fetched.
  private func project(
    _ normed: ActivationRows, _ plan: RowPlan, heads: Range<Int>, index: Int,
    _ buffers: AttentionBuffers
  ) {
    let rows = plan.count
    let panels = shape.headDimension / 16
    let keys = heads.lowerBound * panels..<heads.upperBound * panels
    let run = plan.run(from: 0, atMost: 1)
    query.multiply(
      normed, into: buffers.queries.base, stride: query.rows, count: rows,
      panels: keys.lowerBound * shape.group..<keys.upperBound * shape.group,
      bias: queryBias.map { UnsafePointer($0.base) }, accumulates: false,
      next: run.cache._withUnsafeGuaranteedRef {
        $0[index].keysAndValues(head: heads.first, over: run.visible)
      })
    multiply(key, keyBias, normed, into: buffers.keys, rows: rows, panels: keys)
    multiply(value, valueBias, normed, into: buffers.values, rows: rows, panels: keys)
  }

  /// Queries, keys and values of all heads, their panels divided.
  private func project(
    rows: Int, norms: SublayerNorms, scratch: LayerScratch, _ buffers: AttentionBuffers,
    workers: Workers
  ) {
    workers.run { worker in
      let normed = scratch.norm(rows: 0..<rows, norms, worker: worker)
      var share = PanelShare(
        panels: query.panelCount + key.panelCount + value.panelCount, worker: worker,
        of: workers.count)
      multiply(
        query, queryBias, normed, into: buffers.queries, rows: rows, panels: share.next(query))
      multiply(key, keyBias, normed, into: buffers.keys, rows: rows, panels: share.next(key))
      multiply(
        value, valueBias, normed, into: buffers.values, rows: rows, panels: share.next(value))
    }
  }

  /// Norms the queries of a row, and its keys, over all heads together.
  private func normTogether(rows: Int, _ buffers: AttentionBuffers, workers: Workers) {
    workers.run { worker in
      for row in (0..<rows).share(of: worker, among: workers.count) {
        let queries = buffers.queries.base + row * shape.queryWidth
        let keys = buffers.keys.base + row * shape.keyValueWidth
        queryNorm?.norm.apply(queries, into: queries, count: shape.queryWidth)
        keyNorm?.norm.apply(keys, into: keys, count: shape.keyValueWidth)
      }
    }
  }

  /// Keys, values and attention of some heads, which need no other head's.
  ///
  /// - Parameter next: Weights that the worker reads afterwards.
  private func attend(
    _ plan: RowPlan, heads: Range<Int>, index: Int, _ buffers: AttentionBuffers,
    next: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
  ) {
    for head in heads {
      if let branches = plan.branches {
        attendBranches(plan, in: branches, head: head, index: index, buffers)
        continue
      }
      for row in 0..<plan.count { storeAndRotate(row, head: head, plan, index: index, buffers) }
      var row = 0
      while row < plan.count {
        let run = plan.run(from: row)
        let part = (0..<next.count).share(of: head - heads.lowerBound, among: heads.count)
        attend(
          run, head: head, index: index, buffers,
          nextHead: head + 1 < heads.upperBound ? head + 1 : nil,
          next: UnsafeRawBufferPointer(rebasing: next[part]))
        row = run.rows.upperBound
      }
    }
  }

  /// Keys, values and attention where the workers can't have heads of their own.
  private func attend(_ plan: RowPlan, index: Int, _ buffers: AttentionBuffers, workers: Workers) {
    let heads = shape.keyValueHeads
    if plan.branches != nil {
      // A head's rows follow each other.
      workers.run { worker in
        attend(
          plan, heads: (0..<heads).share(of: worker, among: workers.count), index: index, buffers)
      }
      return
    }
    workers.run { worker in
      for row in (0..<plan.count).share(of: worker, among: workers.count) {
        for head in 0..<heads { storeAndRotate(row, head: head, plan, index: index, buffers) }
      }
    }
    // Later rows see more keys, so that small items are dealt out in turn.
    let rowsAtOnce = max(1, Int(CK_QUERIES_AT_ONCE) / shape.group)
    workers.run { worker in
      var row = 0
      var item = 0
      while row < plan.count {
        let run = plan.run(from: row, atMost: rowsAtOnce)
        for head in 0..<heads {
          if item % workers.count == worker { attend(run, head: head, index: index, buffers) }
          item += 1
        }
        row = run.rows.upperBound
      }
    }
  }

  /// Norms and rotates the key of one head of a row and the queries that look for it, and stores
  /// key and value.
  private func storeAndRotate(
    _ row: Int, head: Int, _ plan: RowPlan, index: Int, _ buffers: AttentionBuffers
  ) {
    rotateKey(of: row, head: head, plan[row], index: index, buffers)
    storeKey(of: row, head: head, plan[row], index: index, buffers)
    rotateQueries(of: row, head: head, plan[row], index: index, buffers)
  }

  /// Attention of rows over one key-value head.
  func attend(
    _ run: RowPlan.Run, head: Int, index: Int, _ buffers: AttentionBuffers, nextHead: Int? = nil,
    next: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
  ) {
    let width = shape.group * shape.headDimension
    let columns = head * width..<(head + 1) * width
    let offset = run.rows.lowerBound * shape.queryWidth + columns.lowerBound
    let queries = AttentionQueries(
      queries: buffers.queries.base + offset, out: buffers.attended.values.base + offset,
      stride: shape.queryWidth, rows: run.rows.count, heads: shape.group, scale: scale, cap: cap,
      sinks: sinks.map { UnsafePointer($0.base) + head * shape.group },
      nextHead: nextHead, next: next)
    run.cache._withUnsafeGuaranteedRef { cache in
      cache[index].attend(queries, head: head, over: run.visible, step: run.step)
    }
    for row in run.rows { buffers.attended.finish(row: row, columns: columns) }
  }

  /// A product of rows of the layer's width into a buffer of the matrix's own width.
  private func multiply(
    _ matrix: PackedMatrix, _ bias: FloatBuffer?, _ input: ActivationRows,
    into out: FloatBuffer, rows: Int, panels: Range<Int>
  ) {
    matrix.multiply(
      input, into: out.base, stride: matrix.rows, count: rows, panels: panels,
      bias: bias.map { UnsafePointer($0.base) })
  }

  private func storeKey(
    of row: Int, head: Int, _ place: RowPlan.Row, index: Int, _ buffers: AttentionBuffers
  ) {
    let offset = row * shape.keyValueWidth + head * shape.headDimension
    place.cache._withUnsafeGuaranteedRef { cache in
      cache[index].store(
        key: buffers.keys.base + offset, value: buffers.values.base + offset, head: head,
        position: place.position)
    }
  }

  /// Norms and rotates a key in place; where values are clipped, its value is.
  func rotateKey(
    of row: Int, head: Int, _ place: RowPlan.Row, index: Int, _ buffers: AttentionBuffers
  ) {
    let offset = row * shape.keyValueWidth + head * shape.headDimension
    if let clip {
      Kernels.clip(buffers.values.base + offset, count: shape.headDimension, bound: clip)
    }
    rotate(buffers.keys.base + offset, norm: keyNorm, head: head, place, index: index)
  }

  /// Norms and rotates the queries of a key-value head in place.
  func rotateQueries(
    of row: Int, head: Int, _ place: RowPlan.Row, index: Int, _ buffers: AttentionBuffers
  ) {
    for query in head * shape.group..<(head + 1) * shape.group {
      let offset = row * shape.queryWidth + query * shape.headDimension
      rotate(buffers.queries.base + offset, norm: queryNorm, head: query, place, index: index)
    }
  }

  private func rotate(
    _ values: UnsafeMutablePointer<Float>, norm: HeadNorm?, head: Int, _ place: RowPlan.Row,
    index: Int
  ) {
    if let clip { Kernels.clip(values, count: shape.headDimension, bound: clip) }
    if let norm, !normsTogether {
      norm.norm.apply(
        values, into: values, count: shape.headDimension, first: head * norm.stride)
    }
    place.cache._withUnsafeGuaranteedRef { $0[index].angles.rotate(values, to: place.position) }
  }
}
