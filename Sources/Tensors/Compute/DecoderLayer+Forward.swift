internal import CKernels

extension DecoderLayer {
  /// Runs the rows of `plan` through the layer: `scratch.residual` in and out.
  ///
  /// Four regions, or six where the workers don't divide the key-value heads. Norms are computed by
  /// every worker for itself, which is cheaper than another region. Every value written depends on
  /// its own row, and on the cache at and before the row's last visible key, so rows are invariant
  /// to the pass they share.
  ///
  /// - Parameter index: The layer's place in the caches.
  public func forward(_ plan: RowPlan, index: Int, scratch: LayerScratch, workers: Workers) {
    if shape.keyValueHeads.isMultiple(of: workers.count), shape.headDimension.isMultiple(of: 16) {
      // A worker needs no other's queries, keys or values.
      workers.run { worker in
        let heads = (0..<shape.keyValueHeads).share(of: worker, among: workers.count)
        project(plan, heads: heads, index: index, scratch: scratch, worker: worker)
        attend(
          plan, heads: heads, index: index, scratch: scratch,
          next: output.bytes(
            of: (0..<output.panelCount).share(of: worker, among: workers.count)))
      }
    } else {
      project(rows: plan.count, scratch: scratch, workers: workers)
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
    _ features: ActivationRows, _ plan: RowPlan, index: Int, scratch: LayerScratch, workers: Workers
  ) {
    let rows = plan.count
    workers.run { worker in
      var share = PanelShare(
        panels: key.panelCount + value.panelCount, worker: worker, of: workers.count)
      multiply(
        key, keyBias, features, into: scratch.keys, rows: rows, panels: share.next(key))
      multiply(
        value, valueBias, features, into: scratch.values, rows: rows,
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

  /// Queries, keys and values of some key-value heads.
  ///
  /// While queries are multiplied, what the first of the heads will attend to is fetched.
  private func project(
    _ plan: RowPlan, heads: Range<Int>, index: Int, scratch: LayerScratch, worker: Int
  ) {
    let rows = plan.count
    let normed = scratch.norm(
      rows: 0..<rows, weight: inputNorm, epsilon: shape.normEpsilon, worker: worker)
    let panels = shape.headDimension / 16
    let keys = heads.lowerBound * panels..<heads.upperBound * panels
    let group = shape.heads / shape.keyValueHeads
    let run = plan.run(from: 0, atMost: 1)
    query.multiply(
      normed, into: scratch.queries.base, stride: query.rows, count: rows,
      panels: keys.lowerBound * group..<keys.upperBound * group,
      bias: queryBias.map { UnsafePointer($0.base) }, accumulates: false,
      next: run.cache._withUnsafeGuaranteedRef {
        $0.keysAndValues(layer: index, head: heads.first, over: run.visible)
      })
    multiply(key, keyBias, normed, into: scratch.keys, rows: rows, panels: keys)
    multiply(value, valueBias, normed, into: scratch.values, rows: rows, panels: keys)
  }

  /// Queries, keys and values of all heads, their panels divided.
  private func project(rows: Int, scratch: LayerScratch, workers: Workers) {
    workers.run { worker in
      let normed = scratch.norm(
        rows: 0..<rows, weight: inputNorm, epsilon: shape.normEpsilon, worker: worker)
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

  /// Keys, values and attention of some heads, which need no other head's.
  ///
  /// - Parameter next: Weights that the worker reads afterwards.
  private func attend(
    _ plan: RowPlan, heads: Range<Int>, index: Int, scratch: LayerScratch,
    next: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
  ) {
    for head in heads {
      if let branches = plan.branches {
        attendBranches(plan, in: branches, head: head, index: index, scratch: scratch)
        continue
      }
      for row in 0..<plan.count {
        storeAndRotate(row, head: head, plan, index: index, scratch: scratch)
      }
      var row = 0
      while row < plan.count {
        let run = plan.run(from: row)
        let part = (0..<next.count).share(of: head - heads.lowerBound, among: heads.count)
        attend(
          run, head: head, index: index, scratch: scratch,
          nextHead: head + 1 < heads.upperBound ? head + 1 : nil,
          next: UnsafeRawBufferPointer(rebasing: next[part]))
        row = run.rows.upperBound
      }
    }
  }

  /// Keys, values and attention where the workers can't have heads of their own.
  private func attend(_ plan: RowPlan, index: Int, scratch: LayerScratch, workers: Workers) {
    let heads = shape.keyValueHeads
    if plan.branches != nil {
      // A head's rows follow each other.
      workers.run { worker in
        attend(
          plan, heads: (0..<heads).share(of: worker, among: workers.count), index: index,
          scratch: scratch)
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
  func attend(
    _ run: RowPlan.Run, head: Int, index: Int, scratch: LayerScratch, nextHead: Int? = nil,
    next: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
  ) {
    let group = shape.heads / shape.keyValueHeads
    let width = group * shape.headDimension
    let columns = head * width..<(head + 1) * width
    let offset = run.rows.lowerBound * shape.queryWidth + columns.lowerBound
    let queries = KeyValueCache.Queries(
      queries: scratch.queries.base + offset, out: scratch.attended.values.base + offset,
      stride: shape.queryWidth, rows: run.rows.count, heads: group,
      scale: 1 / Float(shape.headDimension).squareRoot(), nextHead: nextHead, next: next)
    run.cache._withUnsafeGuaranteedRef { cache in
      cache.attend(queries, layer: index, head: head, over: run.visible, step: run.step)
    }
    for row in run.rows { scratch.attended.finish(row: row, columns: columns) }
  }

  private func finishAttention(rows: Int, scratch: LayerScratch, workers: Workers) {
    workers.run { worker in
      output.multiply(
        scratch.attended, into: scratch.residual.base, stride: shape.hidden, count: rows,
        panels: (0..<output.panelCount).share(of: worker, among: workers.count),
        bias: outputBias.map { UnsafePointer($0.base) }, accumulates: true)
    }
  }

  private func feedForward(rows: Int, scratch: LayerScratch, workers: Workers) {
    workers.run { worker in
      let normed = scratch.norm(
        rows: 0..<rows, weight: postAttentionNorm, epsilon: shape.normEpsilon, worker: worker)
      let panels = featurePanels(of: worker, among: workers.count)
      multiply(gate, gateBias, normed, into: scratch.gate.values, rows: rows, panels: panels)
      multiply(up, upBias, normed, into: scratch.up, rows: rows, panels: panels)
      let features = panels.lowerBound * 16..<min(panels.upperBound * 16, shape.intermediate)
      for row in 0..<rows where !features.isEmpty {
        let gate = scratch.gate.row(row) + features.lowerBound
        let up = scratch.up.base + row * shape.intermediate + features.lowerBound
        Kernels.swiglu(gate: gate, up: up, into: gate, count: features.count)
        scratch.gate.finish(row: row, columns: features)
      }
    }
    workers.run { worker in
      down.multiply(
        scratch.gate, into: scratch.residual.base, stride: shape.hidden, count: rows,
        panels: (0..<down.panelCount).share(of: worker, among: workers.count),
        bias: downBias.map { UnsafePointer($0.base) }, accumulates: true)
    }
  }

  /// Features that a worker computes together.
  static let featurePiece = WeightFormat.groupSize

  /// A worker's panels of the gate, in whole pieces.
  private func featurePanels(of worker: Int, among workers: Int) -> Range<Int> {
    let panels = Self.featurePiece / 16
    let pieces = (0..<(gate.panelCount + panels - 1) / panels).share(of: worker, among: workers)
    return (pieces.lowerBound * panels..<pieces.upperBound * panels)
      .clamped(to: 0..<gate.panelCount)
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
