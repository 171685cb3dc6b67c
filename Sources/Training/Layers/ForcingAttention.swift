/// Attention of clean rows and noisy rows of one sequence (Jacobi Forcing, arXiv 2512.14681).
///
/// Clean rows are an ordinary causal sequence. Noisy rows come in windows: each row sees the clean
/// rows before its window's first position, and the rows of its window up to itself. The mask has
/// one more kind of row than a causal one, but what a row sees is always a prefix of two segments.
struct ForcingAttention: Sendable {
  let causal: CausalAttention

  /// The places of one pass: rows are the clean ones, then the noisy ones.
  struct Rows {
    /// The clean rows. All rows' queries, keys, values and outputs lie in the same places, and behind the
    /// clean rows' probabilities those of the others: [heads][noisy][columns].
    var clean: CausalAttention.Rows
    /// The clean row that stands where the first noisy one of each copy does.
    var promptLength: Int
    /// Noisy rows of a copy.
    var copyCount: Int
    /// Ranges of noisy rows, in order, each within a copy.
    var windows: [Range<Int>]
    /// 1, 2, 3 …: [at least every clean row and the longest window together].
    var visible: UnsafePointer<Int32>

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
    causal.forward(rows.clean, visible: rows.visible)
    forEachTile(rows) { causal.forward(rows.clean, $0, visible: rows.visible) }
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
    // The clean rows' keys are written here and added to below.
    causal.backward(rows.clean, dOutput: dOutput, d: d, scratch: scratch, dots: dots)
    let cleanCount = rows.clean.length
    causal.clearKeys(of: cleanCount..<cleanCount + rows.noisyCount, d)
    forEachTile(rows) {
      causal.backward(rows.clean, $0, dOutput: dOutput, d: d, scratch: scratch, dots: dots)
    }
  }

  private func forEachTile(_ rows: Rows, _ body: (CausalAttention.Tile) -> Void) {
    let (clean, columns) = (rows.clean.length, rows.columns)
    let probabilities = rows.clean.probabilities + causal.heads * clean * clean
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
                causal.segment(rows.clean, 0..<context, head: head),
                causal.segment(rows.clean, clean + window.lowerBound..<clean + end, head: head),
              ],
              probabilities: probabilities + (head * rows.noisyCount + start) * columns,
              columns: columns))
        }
      }
    }
  }
}
