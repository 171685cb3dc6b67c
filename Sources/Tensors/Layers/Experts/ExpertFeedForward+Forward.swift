extension ExpertFeedForward {
  /// Adds to `scratch.residual` what the chosen experts make of its rows.
  ///
  /// Three regions: the router, with what every row goes through; the gates of the chosen experts; and
  /// their outputs, added in ascending order of experts, whichever rows share the pass. Each chosen
  /// expert's weights are read once.
  func forward(
    rows: Int, norms: SublayerNorms, _ buffers: ExpertBuffers, scratch: LayerScratch,
    workers: Workers, beforeAdding: () -> Void
  ) {
    workers.run { worker in
      let normed = scratch.norm(rows: 0..<rows, norms, worker: worker)
      route(normed, rows: rows, buffers, worker: worker, of: workers.count)
    }
    buffers.plan.make(buffers.logits, rows: rows, weighting: weighting)
    // The sigmoid's exponentials.
    Kernels.exp(buffers.sharedLogits.base, into: buffers.sharedLogits.base, count: rows, scale: -1)
    workers.run { worker in
      gate(scratch.normed(worker), buffers, worker: worker, of: workers.count)
    }
    beforeAdding()
    let sum = norms.needsOutput ? scratch.output : buffers.sum
    workers.run { worker in
      let panels = (0..<experts[0].down.panelCount).share(of: worker, among: workers.count)
      guard !panels.isEmpty else { return }
      let columns = experts[0].down.rows(of: panels)
      add(rows: rows, panels, columns, into: sum, buffers)
      guard !norms.needsOutput else { return }
      for row in 0..<rows {
        let first = row * hidden + columns.lowerBound
        Kernels.add(sum.base + first, to: scratch.residual.base + first, count: columns.count)
      }
    }
    norms.addOutput(rows: rows, width: hidden, scratch: scratch, workers: workers)
  }

  /// The logits of the router, and what every row goes through.
  private func route(
    _ normed: ActivationRows, rows: Int, _ buffers: ExpertBuffers, worker: Int, of workers: Int
  ) {
    var share = PanelShare(
      panels: router.panelCount + (sharedGate?.panelCount ?? 0), worker: worker, of: workers)
    router.multiply(
      normed, into: buffers.logits.base, stride: experts.count, count: rows,
      panels: share.next(router), bias: routerBias.map { UnsafePointer($0.base) })
    if let sharedGate {
      sharedGate.multiply(
        normed, into: buffers.sharedLogits.base, stride: 1, count: rows,
        panels: share.next(sharedGate))
    }
    if let shared, let inner = buffers.shared {
      shared.activate(
        normed, rows: 0..<rows,
        panels: shared.gate.panels(
          of: worker, among: workers, piece: shared.down.columnPiece), into: inner)
    }
  }

  /// The gates of some pieces of the chosen experts.
  private func gate(
    _ normed: ActivationRows, _ buffers: ExpertBuffers, worker: Int, of workers: Int
  ) {
    let plan = buffers.plan
    let piece = experts[0].down.columnPiece
    let pieces = experts[0].gate.pieceCount(piece)
    let share = (0..<plan.usedCount * pieces).share(of: worker, among: workers)
    var start = share.lowerBound
    while start < share.upperBound {
      let index = start / pieces
      let end = min(share.upperBound, (index + 1) * pieces)
      let panels = experts[0].gate.panels(
        ofPieces: start - index * pieces..<end - index * pieces, piece: piece)
      let expert = plan.expert(index)
      let slots = plan.slots(of: expert)
      start = end
      // Rows that follow each other are taken where they are.
      let first = plan.row(of: slots.lowerBound)
      if plan.row(of: slots.upperBound - 1) - first == slots.count - 1 {
        experts[expert].activate(
          normed, rows: first..<first + slots.count, panels: panels, into: buffers.inner,
          at: slots.lowerBound)
        continue
      }
      let gathered = buffers.gathered[worker]
      for slot in slots {
        gathered.copy(row: slot - slots.lowerBound, from: normed, row: plan.row(of: slot))
      }
      experts[expert].activate(
        gathered, rows: 0..<slots.count, panels: panels, into: buffers.inner,
        at: slots.lowerBound)
    }
  }

  /// Some columns of what the experts of each row put out, summed.
  private func add(
    rows: Int, _ panels: Range<Int>, _ columns: Range<Int>, into sum: FloatBuffer,
    _ buffers: ExpertBuffers
  ) {
    let plan = buffers.plan
    let output = buffers.output.base + columns.lowerBound
    for row in 0..<rows {
      (sum.base + row * hidden + columns.lowerBound).update(repeating: 0, count: columns.count)
    }
    func add(_ index: Int, times weight: Float, toRow row: Int) {
      Kernels.add(
        output + index * hidden, times: weight, to: sum.base + row * hidden + columns.lowerBound,
        count: columns.count)
    }
    for index in 0..<plan.usedCount {
      let expert = plan.expert(index)
      let slots = plan.slots(of: expert)
      experts[expert].down.multiply(
        buffers.inner.gate, from: slots.lowerBound, into: buffers.output.base, stride: hidden,
        count: slots.count, panels: panels,
        bias: experts[expert].downBias.map { UnsafePointer($0.base) })
      for slot in slots {
        add(slot - slots.lowerBound, times: plan.weight(of: slot), toRow: plan.row(of: slot))
      }
    }
    guard let shared, let inner = buffers.shared else { return }
    shared.down.multiply(
      inner.gate, into: buffers.output.base, stride: hidden, count: rows, panels: panels,
      bias: shared.downBias.map { UnsafePointer($0.base) })
    for row in 0..<rows {
      let weight = sharedGate == nil ? 1 : 1 / (1 + buffers.sharedLogits.base[row])
      add(row, times: weight, toRow: row)
    }
  }
}
