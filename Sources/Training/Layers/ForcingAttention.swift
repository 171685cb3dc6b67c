/// Attention of clean rows and noisy rows of one sequence (Jacobi Forcing, arXiv 2512.14681).
///
/// Clean rows are an ordinary causal sequence. Noisy rows come in windows: each row sees the clean
/// rows before its window's first position, and the rows of its window up to itself. The mask has
/// one more kind of row than a causal one, but what a row sees is always a prefix of two segments.
struct ForcingAttention: Sendable {
  /// Attention of the clean rows.
  let causal: CausalAttention

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
  func probabilityCount(clean: Int, copies: Int) -> Int {
    (1 + copies) * causal.heads * clean * clean
  }

  /// Writes `rows.output` and `rows.probabilities`.
  func forward(_ rows: Rows) {
    let all = clean(rows)
    causal.forward(all, visible: rows.visible)
    forEachTile(rows) { causal.forward(all, $0, visible: rows.visible) }
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
    let all = clean(rows)
    // The clean rows' keys are written here and added to below.
    causal.backward(all, dOutput: dOutput, d: d, scratch: scratch, dots: dots)
    causal.clearKeys(of: rows.cleanCount..<rows.cleanCount + rows.noisyCount, d)
    forEachTile(rows) {
      causal.backward(all, $0, dOutput: dOutput, d: d, scratch: scratch, dots: dots)
    }
  }

  private func clean(_ rows: Rows) -> CausalAttention.Rows {
    CausalAttention.Rows(
      sequences: 1, length: rows.cleanCount, queriesKeys: rows.queriesKeys,
      queryKeyStride: rows.queryKeyStride, values: rows.values, valueStride: rows.valueStride,
      probabilities: rows.probabilities, output: rows.output)
  }

  /// Visits some noisy rows of one window and head at a time.
  private func forEachTile(_ rows: Rows, _ body: (CausalAttention.Tile) -> Void) {
    let all = clean(rows)
    let (clean, columns) = (rows.cleanCount, rows.columns)
    let probabilities = rows.probabilities + causal.heads * clean * clean
    for head in 0..<causal.heads {
      for window in rows.windows {
        let context = rows.context(window)
        for start in stride(
          from: window.lowerBound, to: window.upperBound, by: CausalAttention.tileRows)
        {
          let end = min(start + CausalAttention.tileRows, window.upperBound)
          body(
            CausalAttention.Tile(
              head: head, row: clean + start, count: end - start,
              firstVisible: context + start - window.lowerBound,
              segments: [
                causal.segment(all, 0..<context, head: head),
                causal.segment(all, clean + window.lowerBound..<clean + end, head: head),
              ],
              probabilities: probabilities + (head * rows.noisyCount + start) * columns,
              columns: columns))
        }
      }
    }
  }
}
