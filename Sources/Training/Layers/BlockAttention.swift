import CKernels

/// Attention of a drafter's blocks: each block sees a prefix of the context and all of itself, or rows of
/// a causal one (JetSpec) no later rows.
///
/// Many blocks of one sequence share one pass. A tile of blocks is multiplied with the context at
/// once and masked by each row's visible prefix; the small products within a block follow one by
/// one. Columns of the probabilities are the block's own keys, then the context's, so that what a
/// row sees is always a prefix.
struct BlockAttention: Sendable {
  let heads: Int
  let keyValueHeads: Int  // divides `heads`
  let width: Int
  let blockSize: Int
  var isCausal = false
  let product: MatrixProduct

  /// Blocks multiplied with the context at once; scratch holds `CausalAttention.tileRows` rows, or one
  /// block if that is more.
  var tileBlocks: Int { max(1, CausalAttention.tileRows / blockSize) }
  private var scale: Float { 1 / Float(width).squareRoot() }

  /// The places of one pass: rows are block after block.
  struct Rows {
    /// The context positions each block sees, ascending: [blocks].
    var prefixes: UnsafeBufferPointer<Int32>
    var visible: UnsafePointer<Int32>  // [rows], `blockSize` + its block's prefix
    var queriesKeys: UnsafePointer<Float>  // [rows][heads + keyValueHeads][width], rotated
    var queryKeyStride: Int
    var values: UnsafePointer<Float>  // [rows][keyValueHeads][width]
    var valueStride: Int
    var contextKeys: UnsafePointer<Float>  // [positions][keyValueHeads][width], rotated
    var contextKeyStride: Int
    var contextValues: UnsafePointer<Float>  // [positions][keyValueHeads][width]
    var contextValueStride: Int
    var probabilities: UnsafeMutablePointer<Float>  // [heads][rows][columns]
    /// Distance between rows of `probabilities`: at least the greatest of `visible`.
    var columns: Int
    var output: UnsafeMutablePointer<Float>  // [rows][heads][width]

    var blocks: Int { prefixes.count }
  }

  /// Writes `rows.output` and `rows.probabilities`.
  func forward(_ rows: Rows) {
    forEachTile(rows) { tile in
      if tile.context > 0 {
        product.timesTransposed(
          rows: tile.rows, columns: tile.context, inner: width, tile.queries, rows.queryKeyStride,
          tile.contextKeys, rows.contextKeyStride, into: tile.probabilities + blockSize,
          rows.columns)
      }
      for block in 0..<tile.blocks {
        let row = block * blockSize
        product.timesTransposed(
          rows: blockSize, columns: blockSize, inner: width,
          tile.queries + row * rows.queryKeyStride, rows.queryKeyStride,
          tile.keys + row * rows.queryKeyStride, rows.queryKeyStride,
          into: tile.probabilities + row * rows.columns, rows.columns)
      }
      fillLater(tile, rows, with: -.greatestFiniteMagnitude)
      ct_attention_softmax(
        tile.rows, blockSize + tile.context, rows.columns, rows.visible + tile.first, scale,
        tile.probabilities)
      fillLater(tile, rows, with: 0)
      for block in 0..<tile.blocks {
        let row = block * blockSize
        product.times(
          rows: blockSize, columns: width, inner: blockSize,
          tile.probabilities + row * rows.columns, rows.columns,
          tile.values + row * rows.valueStride, rows.valueStride,
          into: tile.output + row * heads * width, heads * width)
      }
      if tile.context > 0 {
        product.times(
          rows: tile.rows, columns: width, inner: tile.context, tile.probabilities + blockSize,
          rows.columns, tile.contextValues, rows.contextValueStride, into: tile.output,
          heads * width, accumulate: true)
      }
    }
  }

  /// Sets what rows of a causal block would have of later ones.
  private func fillLater(_ tile: Tile, _ rows: Rows, with value: Float) {
    guard isCausal else { return }
    for row in 0..<tile.rows {
      let place = row % blockSize
      (tile.probabilities + row * rows.columns + place + 1).update(
        repeating: value, count: blockSize - place - 1)
    }
  }

  /// Writes the gradients of queries, keys and values and adds those of the context.
  ///
  /// - Parameters:
  ///   - dOutput: [rows][heads][width].
  ///   - d: Gradients of queries, keys, values side by side:
  ///     [rows][heads + 2 keyValueHeads][width].
  ///   - dContext: Gradients of the context's keys and values side by side, added to:
  ///     [positions][2 keyValueHeads][width], rows `dContextStride` apart.
  ///   - scratch: [tileRows][columns].
  ///   - dots: [tileRows].
  func backward(
    _ rows: Rows, dOutput: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>,
    dContext: UnsafeMutablePointer<Float>, dContextStride: Int,
    scratch: UnsafeMutablePointer<Float>, dots: UnsafeMutablePointer<Float>
  ) {
    let stride = (heads + 2 * keyValueHeads) * width
    for row in 0..<rows.blocks * blockSize {
      (d + row * stride + heads * width).update(repeating: 0, count: 2 * keyValueHeads * width)
    }
    forEachTile(rows) { tile in
      backward(
        rows, tile, dOutput: dOutput + tile.first * heads * width + tile.head * width,
        d: d + tile.first * stride, dContext: dContext, contextStride: dContextStride,
        scratch: scratch, dots: dots)
    }
  }

  private func backward(
    _ rows: Rows, _ tile: Tile, dOutput: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>,
    dContext: UnsafeMutablePointer<Float>, contextStride: Int,
    scratch: UnsafeMutablePointer<Float>, dots: UnsafeMutablePointer<Float>
  ) {
    let outputStride = heads * width
    let stride = (heads + 2 * keyValueHeads) * width
    let dQueries = d + tile.head * width
    let dKeys = d + (heads + tile.keyValueHead) * width
    let dValues = d + (heads + keyValueHeads + tile.keyValueHead) * width
    let dContextKeys = dContext + tile.keyValueHead * width
    let dContextValues = dContext + (keyValueHeads + tile.keyValueHead) * width

    if tile.context > 0 {
      product.transposedTimes(
        rows: tile.context, columns: width, inner: tile.rows, tile.probabilities + blockSize,
        rows.columns, dOutput, outputStride, into: dContextValues, contextStride, accumulate: true)
      product.timesTransposed(
        rows: tile.rows, columns: tile.context, inner: width, dOutput, outputStride,
        tile.contextValues, rows.contextValueStride, into: scratch + blockSize, rows.columns)
    }
    for block in 0..<tile.blocks {
      let row = block * blockSize
      product.transposedTimes(
        rows: blockSize, columns: width, inner: blockSize,
        tile.probabilities + row * rows.columns, rows.columns, dOutput + row * outputStride,
        outputStride, into: dValues + row * stride, stride, accumulate: true)
      product.timesTransposed(
        rows: blockSize, columns: blockSize, inner: width, dOutput + row * outputStride,
        outputStride, tile.values + row * rows.valueStride, rows.valueStride,
        into: scratch + row * rows.columns, rows.columns)
    }
    ct_row_dots(tile.rows, width, dOutput, outputStride, tile.output, outputStride, dots)
    ct_attention_softmax_backward(
      tile.rows, blockSize + tile.context, rows.columns, tile.probabilities, dots, scale, scratch)
    for block in 0..<tile.blocks {
      let row = block * blockSize
      product.times(
        rows: blockSize, columns: width, inner: blockSize, scratch + row * rows.columns,
        rows.columns, tile.keys + row * rows.queryKeyStride, rows.queryKeyStride,
        into: dQueries + row * stride, stride)
      product.transposedTimes(
        rows: blockSize, columns: width, inner: blockSize, scratch + row * rows.columns,
        rows.columns, tile.queries + row * rows.queryKeyStride, rows.queryKeyStride,
        into: dKeys + row * stride, stride, accumulate: true)
    }
    if tile.context > 0 {
      product.times(
        rows: tile.rows, columns: width, inner: tile.context, scratch + blockSize, rows.columns,
        tile.contextKeys, rows.contextKeyStride, into: dQueries, stride, accumulate: true)
      product.transposedTimes(
        rows: tile.context, columns: width, inner: tile.rows, scratch + blockSize, rows.columns,
        tile.queries, rows.queryKeyStride, into: dContextKeys, contextStride, accumulate: true)
    }
  }

  /// Some blocks of one head.
  private struct Tile {
    var head: Int
    var keyValueHead: Int
    var first: Int  // row
    var blocks: Int
    var rows: Int
    var context: Int  // context positions that its last block sees
    var queries: UnsafePointer<Float>
    var keys: UnsafePointer<Float>
    var values: UnsafePointer<Float>
    var contextKeys: UnsafePointer<Float>
    var contextValues: UnsafePointer<Float>
    var probabilities: UnsafeMutablePointer<Float>
    var output: UnsafeMutablePointer<Float>
  }

  private func forEachTile(_ rows: Rows, _ body: (Tile) -> Void) {
    for head in 0..<heads {
      let keyValueHead = head / (heads / keyValueHeads)
      for start in stride(from: 0, to: rows.blocks, by: tileBlocks) {
        let end = min(start + tileBlocks, rows.blocks)
        let first = start * blockSize
        let queriesKeys = rows.queriesKeys + first * rows.queryKeyStride
        body(
          Tile(
            head: head, keyValueHead: keyValueHead, first: first, blocks: end - start,
            rows: (end - start) * blockSize, context: Int(rows.prefixes[end - 1]),
            queries: queriesKeys + head * width, keys: queriesKeys + (heads + keyValueHead) * width,
            values: rows.values + first * rows.valueStride + keyValueHead * width,
            contextKeys: rows.contextKeys + keyValueHead * width,
            contextValues: rows.contextValues + keyValueHead * width,
            probabilities: rows.probabilities
              + (head * rows.blocks * blockSize + first) * rows.columns,
            output: rows.output + first * heads * width + head * width))
      }
    }
  }
}
