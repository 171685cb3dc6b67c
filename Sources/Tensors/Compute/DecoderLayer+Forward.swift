internal import CKernels

extension DecoderLayer {
  /// Runs the rows of `plan` through the layer: `scratch.residual` in and out.
  ///
  /// Five regions, or six where the workers don't divide the key-value heads. Norms are computed by
  /// every worker for itself, which is cheaper than another region. Every value written depends on
  /// its own row, and on the cache at and before the row's last visible key, so rows are invariant
  /// to the pass they share.
  ///
  /// - Parameter index: The layer's place in the caches.
  public func forward(_ plan: RowPlan, index: Int, scratch: LayerScratch, workers: Workers) {
    project(rows: plan.count, scratch: scratch, workers: workers)
    if let branches = plan.branches {
      attendBranches(plan, in: branches, index: index, scratch: scratch, workers: workers)
    } else {
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
        for head in 0..<shape.keyValueHeads {
          rotateKey(of: row, head: head, plan[row], scratch: scratch)
          storeKey(of: row, head: head, plan[row], index: index, scratch: scratch)
        }
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

  /// Keys, values and attention of rows that have places of their own.
  private func attend(_ plan: RowPlan, index: Int, scratch: LayerScratch, workers: Workers) {
    let heads = shape.keyValueHeads
    if heads.isMultiple(of: workers.count) {
      // A worker needs no other's keys.
      workers.run { worker in
        for head in (0..<heads).share(of: worker, among: workers.count) {
          for row in 0..<plan.count {
            storeAndRotate(row, head: head, plan, index: index, scratch: scratch)
          }
          var row = 0
          while row < plan.count {
            let run = plan.run(from: row)
            attend(run, head: head, index: index, scratch: scratch)
            row = run.rows.upperBound
          }
        }
      }
      return
    }
    workers.run { worker in
      for row in (0..<plan.count).share(of: worker, among: workers.count) {
        for head in 0..<heads {
          storeAndRotate(row, head: head, plan, index: index, scratch: scratch)
        }
      }
    }
    // Later rows see more keys, so that small items are dealt out in turn.
    let rowsAtOnce = max(1, Int(CK_QUERIES_AT_ONCE) / (shape.heads / heads))
    workers.run { worker in
      var row = 0
      var item = 0
      while row < plan.count {
        let run = plan.run(from: row, atMost: rowsAtOnce)
        for head in 0..<heads {
          if item % workers.count == worker {
            attend(run, head: head, index: index, scratch: scratch)
          }
          item += 1
        }
        row = run.rows.upperBound
      }
    }
  }

  /// Norms and rotates the key of one head of a row and the queries that look for it, and stores
  /// key and value.
  private func storeAndRotate(
    _ row: Int, head: Int, _ plan: RowPlan, index: Int, scratch: LayerScratch
  ) {
    rotateKey(of: row, head: head, plan[row], scratch: scratch)
    storeKey(of: row, head: head, plan[row], index: index, scratch: scratch)
    rotateQueries(of: row, head: head, plan[row], scratch: scratch)
  }

  /// Attention of rows over one key-value head.
  func attend(_ run: RowPlan.Run, head: Int, index: Int, scratch: LayerScratch) {
    let group = shape.heads / shape.keyValueHeads
    let offset = run.rows.lowerBound * shape.queryWidth + head * group * shape.headDimension
    let queries = KeyValueCache.Queries(
      queries: scratch.queries.base + offset, out: scratch.attended.base + offset,
      stride: shape.queryWidth, rows: run.rows.count, heads: group,
      scale: 1 / Float(shape.headDimension).squareRoot())
    run.cache._withUnsafeGuaranteedRef { cache in
      cache.attend(queries, layer: index, head: head, over: run.visible, step: run.step)
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

  private func storeKey(
    of row: Int, head: Int, _ place: RowPlan.Row, index: Int, scratch: LayerScratch
  ) {
    let offset = row * shape.keyValueWidth + head * shape.headDimension
    place.cache._withUnsafeGuaranteedRef { cache in
      cache.store(
        key: scratch.keys.base + offset, value: scratch.values.base + offset, layer: index,
        head: head, position: place.position)
    }
  }

  /// Norms and rotates a key in place.
  func rotateKey(of row: Int, head: Int, _ place: RowPlan.Row, scratch: LayerScratch) {
    let offset = row * shape.keyValueWidth + head * shape.headDimension
    rotate(scratch.keys.base + offset, norm: keyNorm, place)
  }

  /// Norms and rotates the queries of a key-value head in place.
  func rotateQueries(of row: Int, head: Int, _ place: RowPlan.Row, scratch: LayerScratch) {
    let group = shape.heads / shape.keyValueHeads
    for query in head * group..<(head + 1) * group {
      let offset = row * shape.queryWidth + query * shape.headDimension
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
