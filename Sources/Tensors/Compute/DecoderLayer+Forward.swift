extension DecoderLayer {
  /// Runs the rows of `plan` through the layer: `scratch.residual` in and out.
  ///
  /// Six regions. Norms are computed by every worker for itself, which is cheaper than another
  /// region. Every value written depends on its own row, and on the cache at and before the row's
  /// last visible key, so rows are invariant to the pass they share.
  ///
  /// - Parameter index: The layer's place in the caches.
  public func forward(_ plan: RowPlan, index: Int, scratch: LayerScratch, workers: Workers) {
    project(rows: plan.count, scratch: scratch, workers: workers)
    if let branches = plan.branches {
      rotateBranches(plan, into: branches, index: index, scratch: scratch, workers: workers)
      attendBranches(plan, from: branches, index: index, scratch: scratch, workers: workers)
    } else {
      storeKeysAndRotate(plan, index: index, scratch: scratch, workers: workers)
      attend(plan, index: index, scratch: scratch, workers: workers)
    }
    finishAttention(rows: plan.count, scratch: scratch, workers: workers)
    feedForward(rows: plan.count, scratch: scratch, workers: workers)
  }

  /// Projects context features to keys and values and stores them, without queries or output.
  ///
  /// How a conditioned drafter sees its target (ALGORITHMS 3.1): features are not input-normed.
  ///
  /// - Parameter features: `[plan.count][hidden]`.
  public func storeContext(
    _ features: FloatBuffer, _ plan: RowPlan, index: Int, scratch: LayerScratch, workers: Workers
  ) {
    let rows = plan.count
    workers.run { worker in
      var share = PanelShare(
        panels: key.panelCount + value.panelCount, worker: worker, of: workers.count)
      multiply(
        key, keyBias, features.base, into: scratch.keys, rows: rows, panels: share.next(key))
      multiply(
        value, valueBias, features.base, into: scratch.values, rows: rows,
        panels: share.next(value))
    }
    workers.run { worker in
      for row in (0..<rows).share(of: worker, among: workers.count) {
        storeKey(of: row, plan[row], index: index, scratch: scratch)
      }
    }
  }

  private func project(rows: Int, scratch: LayerScratch, workers: Workers) {
    workers.run { worker in
      let normed = norm(inputNorm, rows: rows, scratch: scratch, worker: worker)
      var share = PanelShare(
        panels: query.panelCount + key.panelCount + value.panelCount, worker: worker,
        of: workers.count)
      multiply(
        query, queryBias, normed, into: scratch.queries, rows: rows, panels: share.next(query))
      multiply(key, keyBias, normed, into: scratch.keys, rows: rows, panels: share.next(key))
      multiply(
        value, valueBias, normed, into: scratch.values, rows: rows, panels: share.next(value))
    }
  }

  private func storeKeysAndRotate(
    _ plan: RowPlan, index: Int, scratch: LayerScratch, workers: Workers
  ) {
    workers.run { worker in
      for row in (0..<plan.count).share(of: worker, among: workers.count) {
        storeKey(of: row, plan[row], index: index, scratch: scratch)
        rotateQueries(of: row, plan[row], scratch: scratch)
      }
    }
  }

  private func attend(_ plan: RowPlan, index: Int, scratch: LayerScratch, workers: Workers) {
    workers.run { worker in
      // Later rows see more keys, so the items are dealt out in turn.
      for item in stride(
        from: worker, to: plan.count * shape.keyValueHeads, by: workers.count)
      {
        let (row, head) = item.quotientAndRemainder(dividingBy: shape.keyValueHeads)
        attend(row: row, head: head, plan, index: index, scratch: scratch)
      }
    }
  }

  /// Attention of one row over one key-value head.
  func attend(row: Int, head: Int, _ plan: RowPlan, index: Int, scratch: LayerScratch) {
    let group = shape.heads / shape.keyValueHeads
    let offset = row * shape.queryWidth + head * group * shape.headDimension
    let place = plan[row]
    place.cache._withUnsafeGuaranteedRef { cache in
      cache.attend(
        queries: scratch.queries.base + offset, heads: group, layer: index, head: head,
        over: plan.visible(place), scale: 1 / Float(shape.headDimension).squareRoot(),
        into: scratch.attended.base + offset)
    }
  }

  private func finishAttention(rows: Int, scratch: LayerScratch, workers: Workers) {
    workers.run { worker in
      output.multiply(
        scratch.attended.base, stride: shape.queryWidth, into: scratch.residual.base,
        stride: shape.hidden, count: rows,
        panels: (0..<output.panelCount).share(of: worker, among: workers.count),
        bias: outputBias.map { UnsafePointer($0.base) }, accumulates: true)
    }
  }

  private func feedForward(rows: Int, scratch: LayerScratch, workers: Workers) {
    workers.run { worker in
      let normed = norm(postAttentionNorm, rows: rows, scratch: scratch, worker: worker)
      let panels = (0..<gate.panelCount).share(of: worker, among: workers.count)
      multiply(gate, gateBias, normed, into: scratch.gate, rows: rows, panels: panels)
      multiply(up, upBias, normed, into: scratch.up, rows: rows, panels: panels)
      let features = panels.lowerBound * 16..<min(panels.upperBound * 16, shape.intermediate)
      for row in 0..<rows where !features.isEmpty {
        let offset = row * shape.intermediate + features.lowerBound
        Kernels.swiglu(
          gate: scratch.gate.base + offset, up: scratch.up.base + offset,
          into: scratch.gate.base + offset, count: features.count)
      }
    }
    workers.run { worker in
      down.multiply(
        scratch.gate.base, stride: shape.intermediate, into: scratch.residual.base,
        stride: shape.hidden, count: rows,
        panels: (0..<down.panelCount).share(of: worker, among: workers.count),
        bias: downBias.map { UnsafePointer($0.base) }, accumulates: true)
    }
  }

  /// Norms all rows of the residual into the worker's own buffer.
  private func norm(
    _ weight: FloatBuffer, rows: Int, scratch: LayerScratch, worker: Int
  ) -> UnsafeMutablePointer<Float> {
    let normed = scratch.normed[worker].base
    for row in 0..<rows {
      Kernels.rmsNorm(
        scratch.residual.base + row * shape.hidden, weight: weight.base,
        into: normed + row * shape.hidden, count: shape.hidden, epsilon: shape.normEpsilon)
    }
    return normed
  }

  /// A product of rows of the layer's width into a buffer of the matrix's own width.
  private func multiply(
    _ matrix: PackedMatrix, _ bias: FloatBuffer?, _ input: UnsafePointer<Float>,
    into out: FloatBuffer, rows: Int, panels: Range<Int>
  ) {
    matrix.multiply(
      input, stride: shape.hidden, into: out.base, stride: matrix.rows, count: rows,
      panels: panels, bias: bias.map { UnsafePointer($0.base) })
  }

  private func storeKey(of row: Int, _ place: RowPlan.Row, index: Int, scratch: LayerScratch) {
    rotateKeys(of: row, place, scratch: scratch)
    place.cache._withUnsafeGuaranteedRef { cache in
      for head in 0..<shape.keyValueHeads {
        let offset = row * shape.keyValueWidth + head * shape.headDimension
        cache.store(
          key: scratch.keys.base + offset, value: scratch.values.base + offset, layer: index,
          head: head, position: place.position)
      }
    }
  }

  /// Norms and rotates a row's keys in place.
  func rotateKeys(of row: Int, _ place: RowPlan.Row, scratch: LayerScratch) {
    for head in 0..<shape.keyValueHeads {
      let offset = row * shape.keyValueWidth + head * shape.headDimension
      rotate(scratch.keys.base + offset, norm: keyNorm, place)
    }
  }

  /// Norms and rotates a row's queries in place.
  func rotateQueries(of row: Int, _ place: RowPlan.Row, scratch: LayerScratch) {
    for head in 0..<shape.heads {
      let offset = row * shape.queryWidth + head * shape.headDimension
      rotate(scratch.queries.base + offset, norm: queryNorm, place)
    }
  }

  private func rotate(
    _ head: UnsafeMutablePointer<Float>, norm: FloatBuffer?, _ place: RowPlan.Row
  ) {
    if let norm {
      Kernels.rmsNorm(
        head, weight: norm.base, into: head, count: shape.headDimension,
        epsilon: shape.normEpsilon)
    }
    place.cache._withUnsafeGuaranteedRef { $0.rotary.rotate(head, to: place.position) }
  }
}
