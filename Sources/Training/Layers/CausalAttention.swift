/// Grouped-query causal attention of whole sequences, without its projections.
///
/// Queries are taken a tile at a time and only the keys up to the tile's end are multiplied, which
/// leaves out most of the masked half.
package struct CausalAttention: Sendable {
  package let heads: Int
  package let keyValueHeads: Int  // divides `heads`
  package let tile: AttentionTile
  package static let tileRows = 128

  init(heads: Int, keyValueHeads: Int, width: Int, product: MatrixProduct) {
    precondition(heads % keyValueHeads == 0, "query heads share key/value heads evenly")
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    tile = AttentionTile(width: width, product: product)
  }

  /// Values of `probabilities` needed for some sequences of a length.
  package func probabilityCount(sequences: Int, length: Int) -> Int {
    sequences * heads * length * length
  }

  /// The places of one sequence batch: rows are tokens, sequence after sequence.
  package struct Rows {
    package var sequences: Int
    package var length: Int
    package var queriesKeys: UnsafePointer<Float>  // [rows][heads + keyValueHeads][width], rotated
    package var queryKeyStride: Int
    package var values: UnsafePointer<Float>  // [rows][keyValueHeads][width]
    package var valueStride: Int
    package var probabilities: UnsafeMutablePointer<Float>  // [sequences][heads][length][length]
    package var output: UnsafeMutablePointer<Float>  // [rows][heads][width]
  }

  /// Some queries of one head, and the keys that they see.
  struct Tile {
    var head: Int
    var row: Int  // of the first query
    var count: Int
    var firstVisible: Int  // where `visible` says how many keys the first query sees
    var segments: [KeySegment]
    var probabilities: UnsafeMutablePointer<Float>  // [count][columns]
    var columns: Int
  }

  /// Writes `rows.output` and `rows.probabilities`. `visible` is 1, 2, 3 … [length].
  package func forward(_ rows: Rows, visible: UnsafePointer<Int32>) {
    forEachTile(rows) { forward(rows, $0, visible: visible) }
  }

  /// Writes the output and the probabilities of a tile. `visible` is 1, 2, 3 …
  func forward(_ rows: Rows, _ part: Tile, visible: UnsafePointer<Int32>) {
    let width = tile.width
    tile.forward(
      rows: part.count,
      queries: rows.queriesKeys + part.row * rows.queryKeyStride + part.head * width,
      queryStride: rows.queryKeyStride, segments: part.segments,
      visible: visible + part.firstVisible, probabilities: part.probabilities, stride: part.columns,
      output: rows.output + (part.row * heads + part.head) * width, outputStride: heads * width)
  }

  /// Writes the gradients of queries, keys and values.
  ///
  /// - Parameters:
  ///   - dOutput: [rows, heads, width].
  ///   - d: Gradients of queries, keys, values side by side:
  ///     [rows, heads + 2 keyValueHeads, width]; the keys' and values' part is zeroed here.
  ///   - scratch: [tileRows, length].
  ///   - dots: [tileRows].
  package func backward(
    _ rows: Rows, dOutput: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, dots: UnsafeMutablePointer<Float>
  ) {
    clearKeys(of: 0..<rows.sequences * rows.length, d)
    forEachTile(rows) { backward(rows, $0, dOutput: dOutput, d: d, scratch: scratch, dots: dots) }
  }

  /// Writes the queries' gradient of a tile, and adds those of its keys and values.
  func backward(
    _ rows: Rows, _ part: Tile, dOutput: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, dots: UnsafeMutablePointer<Float>
  ) {
    let (width, stride) = (tile.width, gradientStride)
    let place = (part.row * heads + part.head) * width
    let dKeys = d + (heads + keyValueHead(part.head)) * width
    tile.backward(
      rows: part.count,
      queries: rows.queriesKeys + part.row * rows.queryKeyStride + part.head * width,
      queryStride: rows.queryKeyStride, segments: part.segments,
      probabilities: part.probabilities, stride: part.columns, output: rows.output + place,
      dOutput: dOutput + place, outputStride: heads * width,
      dQueries: d + part.row * stride + part.head * width, dKeys: dKeys,
      dValues: dKeys + keyValueHeads * width, dStride: stride, scratch: scratch, dots: dots)
  }

  /// Zeroes the gradients of some rows' keys and values.
  func clearKeys(of rows: Range<Int>, _ d: UnsafeMutablePointer<Float>) {
    for row in rows {
      (d + row * gradientStride + heads * tile.width)
        .update(repeating: 0, count: 2 * keyValueHeads * tile.width)
    }
  }

  /// The keys and values of some rows, as a head sees them.
  func segment(_ rows: Rows, _ range: Range<Int>, head: Int) -> KeySegment {
    let keyValueHead = keyValueHead(head)
    let row = range.lowerBound
    return KeySegment(
      row: row, count: range.count,
      keys: rows.queriesKeys + row * rows.queryKeyStride + (heads + keyValueHead) * tile.width,
      keyStride: rows.queryKeyStride,
      values: rows.values + row * rows.valueStride + keyValueHead * tile.width,
      valueStride: rows.valueStride)
  }

  private var gradientStride: Int { (heads + 2 * keyValueHeads) * tile.width }
  private func keyValueHead(_ head: Int) -> Int { head / (heads / keyValueHeads) }

  private func forEachTile(_ rows: Rows, _ body: (Tile) -> Void) {
    let length = rows.length
    for sequence in 0..<rows.sequences {
      let first = sequence * length
      for head in 0..<heads {
        for start in stride(from: 0, to: length, by: Self.tileRows) {
          let end = min(start + Self.tileRows, length)
          body(
            Tile(
              head: head, row: first + start, count: end - start, firstVisible: start,
              segments: [segment(rows, first..<first + end, head: head)],
              probabilities: rows.probabilities
                + ((sequence * heads + head) * length + start) * length,
              columns: length))
        }
      }
    }
  }
}
