/// Attention of clean rows and noisy rows of one sequence (Jacobi Forcing, arXiv 2512.14681).
///
/// Clean rows are an ordinary causal sequence. Noisy rows come in windows: each row sees the clean
/// rows before its window's first position, and the rows of its window up to itself. The mask has
/// one more kind of row than a causal one, but what a row sees is always a prefix of two segments.
struct ForcingAttention: Sendable {
  /// Attention of the clean rows.
  let causal: CausalAttention

  private var heads: Int { causal.heads }
  private var keyValueHeads: Int { causal.keyValueHeads }
  private var width: Int { causal.tile.width }

  /// The places of one pass: rows are the clean ones, then the noisy ones.
  struct Rows {
    var cleanCount: Int
    /// The clean row that stands where the first noisy one of each copy does.
    var promptLength: Int
    /// Noisy rows of a copy.
    var copyCount: Int
    /// Ranges of noisy rows, in order, each within a copy.
    var windows: [Range<Int>]
    /// 1, 2, 3 …: [at least every clean row and the longest window together].
    var visible: UnsafePointer<Int32>
    /// Rotated queries, then keys: [rows][heads + keyValueHeads][width].
    var queriesKeys: UnsafePointer<Float>
    /// Distance between rows of `queriesKeys`.
    var queryKeyStride: Int
    /// [rows][keyValueHeads][width].
    var values: UnsafePointer<Float>
    /// Distance between rows of `values`.
    var valueStride: Int
    /// [heads][clean][clean], then [heads][noisy][columns].
    var probabilities: UnsafeMutablePointer<Float>
    /// [rows][heads][width].
    var output: UnsafeMutablePointer<Float>

    var noisyCount: Int { windows.last?.upperBound ?? 0 }
    /// The most keys that a noisy row sees.
    var columns: Int { windows.map { context($0) + $0.count }.max() ?? 0 }

    /// The clean rows that a window sees.
    func context(_ window: Range<Int>) -> Int { promptLength + window.lowerBound % copyCount }
  }

  /// Values of `probabilities` needed for `clean` rows and copies of at most as many noisy ones.
  func probabilityCount(clean: Int, copies: Int) -> Int { (1 + copies) * heads * clean * clean }

  /// Writes `rows.output` and `rows.probabilities`.
  func forward(_ rows: Rows) {
    causal.forward(clean(rows), visible: rows.visible)
    forEachTile(rows) { tile in
      causal.tile.forward(
        rows: tile.count, queries: tile.queries, queryStride: rows.queryKeyStride,
        segments: tile.segments, visible: rows.visible + tile.firstVisible,
        probabilities: tile.probabilities, stride: rows.columns, output: tile.output,
        outputStride: heads * width)
    }
  }

  /// Writes the gradients of queries, keys and values.
  ///
  /// - Parameters:
  ///   - dOutput: [rows][heads][width].
  ///   - d: Gradients of queries, keys, values side by side:
  ///     [rows][heads + 2 keyValueHeads][width].
  ///   - scratch: [tileRows][the most keys that a row sees].
  ///   - dots: [tileRows].
  func backward(
    _ rows: Rows, dOutput: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, dots: UnsafeMutablePointer<Float>
  ) {
    let stride = (heads + 2 * keyValueHeads) * width
    // The clean rows' keys are written here and added to below.
    causal.backward(clean(rows), dOutput: dOutput, d: d, scratch: scratch, dots: dots)
    for row in rows.cleanCount..<rows.cleanCount + rows.noisyCount {
      (d + row * stride + heads * width).update(repeating: 0, count: 2 * keyValueHeads * width)
    }
    forEachTile(rows) { tile in
      let gradients = tile.segmentRows.map { first in
        KeySegmentGradient(
          keys: d + first * stride + (heads + tile.keyValueHead) * width, keyStride: stride,
          values: d + first * stride + (heads + keyValueHeads + tile.keyValueHead) * width,
          valueStride: stride)
      }
      causal.tile.backward(
        rows: tile.count, queries: tile.queries, queryStride: rows.queryKeyStride,
        segments: tile.segments, probabilities: tile.probabilities, stride: rows.columns,
        output: tile.output, dOutput: dOutput + tile.row * heads * width + tile.head * width,
        outputStride: heads * width, dQueries: d + tile.row * stride + tile.head * width,
        dQueryStride: stride, dSegments: gradients, scratch: scratch, dots: dots)
    }
  }

  private func clean(_ rows: Rows) -> CausalAttention.Rows {
    CausalAttention.Rows(
      sequences: 1, length: rows.cleanCount, queriesKeys: rows.queriesKeys,
      queryKeyStride: rows.queryKeyStride, values: rows.values, valueStride: rows.valueStride,
      probabilities: rows.probabilities, output: rows.output)
  }

  /// Some noisy rows of one window and head.
  private struct Tile {
    var head: Int
    var keyValueHead: Int
    var row: Int  // among all rows
    var count: Int
    var firstVisible: Int  // where its first row's number of keys stands in `visible`
    var queries: UnsafePointer<Float>
    var segments: [KeySegment]
    var segmentRows: [Int]  // the first row of each segment
    var probabilities: UnsafeMutablePointer<Float>
    var output: UnsafeMutablePointer<Float>
  }

  private func forEachTile(_ rows: Rows, _ body: (Tile) -> Void) {
    let noisy = rows.probabilities + heads * rows.cleanCount * rows.cleanCount
    for head in 0..<heads {
      let keyValueHead = head / (heads / keyValueHeads)
      func segment(_ first: Int, _ count: Int) -> KeySegment {
        KeySegment(
          count: count,
          keys: rows.queriesKeys + first * rows.queryKeyStride + (heads + keyValueHead) * width,
          keyStride: rows.queryKeyStride,
          values: rows.values + first * rows.valueStride + keyValueHead * width,
          valueStride: rows.valueStride)
      }
      for window in rows.windows {
        let context = rows.context(window)
        for start in stride(
          from: window.lowerBound, to: window.upperBound, by: CausalAttention.tileRows)
        {
          let end = min(start + CausalAttention.tileRows, window.upperBound)
          let row = rows.cleanCount + start
          body(
            Tile(
              head: head, keyValueHead: keyValueHead, row: row, count: end - start,
              firstVisible: context + start - window.lowerBound,
              queries: rows.queriesKeys + row * rows.queryKeyStride + head * width,
              segments: [
                segment(0, context),
                segment(rows.cleanCount + window.lowerBound, end - window.lowerBound),
              ],
              segmentRows: [0, rows.cleanCount + window.lowerBound],
              probabilities: noisy + (head * rows.noisyCount + start) * rows.columns,
              output: rows.output + row * heads * width + head * width))
        }
      }
    }
  }
}
