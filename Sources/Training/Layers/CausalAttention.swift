/// Grouped-query causal attention of whole sequences, without its projections.
///
/// Queries are taken a tile at a time and only the keys up to the tile's end are multiplied, which
/// leaves out most of the masked half.
public struct CausalAttention: Sendable {
  /// The number of query heads.
  public let heads: Int
  /// The number of key/value heads; divides `heads`.
  public let keyValueHeads: Int
  /// The core of one head's tile.
  public let tile: AttentionTile
  /// The number of queries of a tile.
  public static let tileRows = 128

  /// Attention with the given heads of `width` values.
  init(heads: Int, keyValueHeads: Int, width: Int, product: MatrixProduct) {
    precondition(heads % keyValueHeads == 0, "query heads share key/value heads evenly")
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    tile = AttentionTile(width: width, product: product)
  }

  /// Values of `probabilities` needed for some sequences of a length.
  public func probabilityCount(sequences: Int, length: Int) -> Int {
    sequences * heads * length * length
  }

  /// The places of one sequence batch: rows are tokens, sequence after sequence.
  public struct Rows {
    /// The number of sequences.
    public var sequences: Int
    /// The tokens of each.
    public var length: Int
    /// Rotated queries, then keys: [rows, heads + keyValueHeads, width].
    public var queriesKeys: UnsafePointer<Float>
    /// Distance between rows of `queriesKeys`.
    public var queryKeyStride: Int
    /// Values: [rows, keyValueHeads, width].
    public var values: UnsafePointer<Float>
    /// Distance between rows of `values`.
    public var valueStride: Int
    /// [sequences, heads, length, length].
    public var probabilities: UnsafeMutablePointer<Float>
    /// [rows, heads, width].
    public var output: UnsafeMutablePointer<Float>
  }

  /// Writes `rows.output` and `rows.probabilities`. `visible` is 1, 2, 3 … [length].
  public func forward(_ rows: Rows, visible: UnsafePointer<Int32>) {
    forEachTile(rows) { part in
      tile.forward(
        rows: part.count, queries: part.queries, queryStride: rows.queryKeyStride,
        segments: [part.segment], visible: visible + part.start,
        probabilities: part.probabilities, stride: rows.length, output: part.output,
        outputStride: heads * tile.width)
    }
  }

  /// Writes the gradients of queries, keys and values.
  ///
  /// - Parameters:
  ///   - dOutput: [rows, heads, width].
  ///   - d: Gradients of queries, keys, values side by side:
  ///     [rows, heads + 2 keyValueHeads, width]; the keys' and values' part is zeroed here.
  ///   - scratch: [tileRows, length].
  ///   - dots: [tileRows].
  public func backward(
    _ rows: Rows, dOutput: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, dots: UnsafeMutablePointer<Float>
  ) {
    let width = tile.width
    let stride = (heads + 2 * keyValueHeads) * width
    for row in 0..<rows.sequences * rows.length {
      (d + row * stride + heads * width).update(repeating: 0, count: 2 * keyValueHeads * width)
    }
    forEachTile(rows) { part in
      let gradient = KeySegmentGradient(
        keys: d + part.firstRow * stride + (heads + part.keyValueHead) * width, keyStride: stride,
        values: d + part.firstRow * stride + (heads + keyValueHeads + part.keyValueHead) * width,
        valueStride: stride)
      tile.backward(
        rows: part.count, queries: part.queries, queryStride: rows.queryKeyStride,
        segments: [part.segment], probabilities: part.probabilities, stride: rows.length,
        output: part.output,
        dOutput: dOutput + (part.firstRow + part.start) * heads * width + part.head * width,
        outputStride: heads * width,
        dQueries: d + (part.firstRow + part.start) * stride + part.head * width,
        dQueryStride: stride, dSegments: [gradient], scratch: scratch, dots: dots)
    }
  }

  /// One tile of one head of one sequence.
  private struct Part {
    var head: Int
    var keyValueHead: Int
    var firstRow: Int  // of the sequence
    var start: Int  // of the tile, in the sequence
    var count: Int
    var queries: UnsafePointer<Float>
    var segment: KeySegment
    var probabilities: UnsafeMutablePointer<Float>
    var output: UnsafeMutablePointer<Float>
  }

  private func forEachTile(_ rows: Rows, _ body: (Part) -> Void) {
    let width = tile.width
    for sequence in 0..<rows.sequences {
      let firstRow = sequence * rows.length
      for head in 0..<heads {
        let keyValueHead = head / (heads / keyValueHeads)
        for start in stride(from: 0, to: rows.length, by: Self.tileRows) {
          let end = min(start + Self.tileRows, rows.length)
          let queriesKeys = rows.queriesKeys + firstRow * rows.queryKeyStride
          body(
            Part(
              head: head, keyValueHead: keyValueHead, firstRow: firstRow, start: start,
              count: end - start,
              queries: queriesKeys + start * rows.queryKeyStride + head * width,
              segment: KeySegment(
                count: end, keys: queriesKeys + (heads + keyValueHead) * width,
                keyStride: rows.queryKeyStride,
                values: rows.values + firstRow * rows.valueStride + keyValueHead * width,
                valueStride: rows.valueStride),
              probabilities: rows.probabilities
                + ((sequence * heads + head) * rows.length + start) * rows.length,
              output: rows.output + (firstRow + start) * heads * width + head * width))
        }
      }
    }
  }
}
