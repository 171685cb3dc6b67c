import CKernels
import Drafter
import Files
import Tensors

// The layers of a pass. Block rows come first, so that a prefix of the rows is all that is left of the
// last layer: of the context its keys and values alone are needed there.
extension DrafterPass {
  /// Computes `drafted`.
  func forward(_ batch: Batch) {
    let parameters = UnsafePointer(model.parameters.base)
    let hidden = model.hidden
    context?.fuse(parameters, taps: batch.features.taps.base, rows: batch.context.count)
    forEachToken(batch) { row, token in
      let input = states[0].input.base + row * hidden
      if let embedding = model.embedding {
        input.update(from: parameters + embedding.offset + Int(token) * hidden, count: hidden)
      } else {
        model.target.embedding.copy(token, to: input)
      }
    }
    for (index, layer) in model.layers.enumerated() {
      let state = states[index]
      let isLast = index + 1 == states.count
      context?.forward(index, layer, parameters, rows: batch.context)
      layer.forwardProjections(parameters, state: state, rows: batch.rows)
      if !isLast, batch.contextRows > 0 {
        layer.attention.forward(contextAttention(index, batch), visible: batch.contextVisible)
      }
      attention(batch).forward(attentionRows(index, batch))
      layer.forwardOutput(
        parameters, state: state, rows: isLast ? batch.blockRows : batch.rows.count,
        next: isLast ? last.base : states[index + 1].input.base)
    }
    forEachBlock(batch) { row, draft, count in
      model.finalNorm.forward(
        parameters, rows: count, x: last.base + row * hidden, xStride: hidden,
        y: drafted.base + draft * hidden, yStride: hidden, inverse: draftedInverse.base + draft)
    }
  }

  /// Adds all gradients but the head's, from `dDrafted`.
  func backward(_ batch: Batch) {
    let parameters = UnsafePointer(model.parameters.base)
    let hidden = model.hidden
    // The context drafts nothing, nor may anchors.
    d.base.update(repeating: 0, count: batch.rows.count * hidden)
    forEachBlock(batch) { row, draft, count in
      (d.base + row * hidden).update(from: dDrafted.base + draft * hidden, count: count * hidden)
      model.finalNorm.backward(
        parameters, gradients: gradients.base, rows: count, x: last.base + row * hidden,
        xStride: hidden, inverse: draftedInverse.base + draft, dY: d.base + row * hidden,
        dX: d.base + row * hidden, dStride: hidden)
    }
    didSettle?(model.finalNorm.offset)
    for (index, layer) in model.layers.enumerated().reversed() {
      let isLast = index + 1 == states.count
      layer.backwardOutput(
        parameters, gradients: gradients.base, state: states[index], scratch: scratch,
        rows: isLast ? batch.blockRows : batch.rows.count, d: d.base, didSettle: didSettle)
      backwardAttention(index, batch, isLast: isLast)
      layer.backwardProjections(
        parameters, gradients: gradients.base, state: states[index], scratch: scratch,
        rows: batch.rows, d: d.base)
      context?.backward(index, layer, parameters, gradients: gradients.base, rows: batch.context)
      didSettle?(layer.offset)
    }
    if let embedding = model.embedding {
      forEachToken(batch) { row, token in
        ct_add(
          hidden, d.base + row * hidden, gradients.base + embedding.offset + Int(token) * hidden)
      }
      didSettle?(embedding.offset)
    }
    context?.backwardFusion(
      parameters, gradients: gradients.base, taps: batch.features.taps.base,
      rows: batch.context.count)
  }

  /// Turns `scratch.attended` into the gradients of queries, keys and values, the context's included.
  private func backwardAttention(_ index: Int, _ batch: Batch, isLast: Bool) {
    let layer = model.layers[index]
    let width = layer.queryKeyValueWidth
    let contextGradients = scratch.queryKeyValue.base + batch.blockRows * width
    if batch.contextRows > 0 {
      if isLast {
        // Nothing of the context was attended for: the blocks' part alone is added.
        contextGradients.update(repeating: 0, count: batch.contextRows * width)
      } else {
        layer.attention.backward(
          contextAttention(index, batch),
          dOutput: scratch.attended.base + batch.blockRows * layer.output.inputs,
          d: contextGradients, scratch: scratch.scores.base, dots: scratch.dots.base)
      }
    }
    if let context {
      context.dKeyValue.base.update(repeating: 0, count: batch.context.count * 2 * layer.keyWidth)
    }
    attention(batch).backward(
      attentionRows(index, batch), dOutput: scratch.attended.base, d: scratch.queryKeyValue.base,
      dContext: context?.dKeyValue.base ?? contextGradients + layer.output.inputs,
      dContextStride: context == nil ? width : 2 * layer.keyWidth,
      scratch: scratch.scores.base, dots: scratch.dots.base)
  }

  private func forEachToken(_ batch: Batch, _ body: (_ row: Int, _ token: Token) -> Void) {
    let mask = model.configuration.maskToken
    for (row, shown) in batch.example.shown.enumerated() { body(row, shown < 0 ? mask : shown) }
    for position in 0..<batch.contextRows {
      body(batch.blockRows + position, batch.example.context[position])
    }
  }

  /// Calls `body` with the first row of each block that drafts, among all rows and among drafts.
  private func forEachBlock(
    _ batch: Batch, _ body: (_ row: Int, _ draft: Int, _ count: Int) -> Void
  ) {
    let (blockSize, drafts) = (batch.example.blockSize, batch.example.drafts)
    for block in 0..<batch.prefixes.count {
      body(block * blockSize + blockSize - drafts, block * drafts, drafts)
    }
  }

  private func contextAttention(_ index: Int, _ batch: Batch) -> CausalAttention.Rows {
    model.layers[index].causalRows(
      states[index], from: batch.blockRows, sequences: 1, length: batch.contextRows,
      probabilities: contextProbabilities)
  }

  private func attention(_ batch: Batch) -> BlockAttention {
    let shape = model.configuration.shape
    return BlockAttention(
      heads: shape.heads, keyValueHeads: shape.keyValueHeads, width: shape.headDimension,
      blockSize: batch.example.blockSize, isCausal: model.configuration.isCausal,
      product: model.layers[0].attention.tile.product)
  }

  private func attentionRows(_ index: Int, _ batch: Batch) -> BlockAttention.Rows {
    let (layer, state) = (model.layers[index], states[index])
    let keys: UnsafePointer<Float>
    let values: UnsafePointer<Float>
    let (keyStride, valueStride): (Int, Int)
    if let context = context?.layers[index] {
      (keys, keyStride) = (UnsafePointer(context.keys.base), layer.keyWidth)
      (values, valueStride) = (
        UnsafePointer(context.keyValue.base) + layer.keyWidth, 2 * layer.keyWidth
      )
    } else {
      let first = batch.blockRows
      (keys, keyStride) = (
        UnsafePointer(state.queryKey.base) + first * layer.queryKeyWidth + layer.output.inputs,
        layer.queryKeyWidth
      )
      (values, valueStride) = (
        UnsafePointer(state.queryKeyValue.base) + first * layer.queryKeyValueWidth
          + layer.queryKeyWidth, layer.queryKeyValueWidth
      )
    }
    return BlockAttention.Rows(
      prefixes: batch.prefixes, visible: batch.visible, queriesKeys: state.queryKey.base,
      queryKeyStride: layer.queryKeyWidth, values: state.queryKeyValue.base + layer.queryKeyWidth,
      valueStride: layer.queryKeyValueWidth, contextKeys: keys, contextKeyStride: keyStride,
      contextValues: values, contextValueStride: valueStride,
      probabilities: state.probabilities.base, columns: columns, output: state.attended.base)
  }
}
