import CKernels

/// Rows of queries over one key-value head, inside a wider buffer as in a layer.
struct AttentionRows {
  var rows = 1
  var heads: Int
  var dimension: Int
  var first = 0
  var end: Int
  var step = 0
  /// Of the scores; 0 for none.
  var cap: Float = 0
  /// One a head; empty for none.
  var sinks: [Float] = []

  /// Floats between rows, more than a row has.
  private var stride: Int { heads * dimension + 3 }

  /// One of the rows alone.
  func row(_ row: Int) -> Self {
    var alone = self
    alone.rows = 1
    alone.end += row * step
    return alone
  }

  /// What a kernel computes for `[rows][heads][dimension]` queries, laid out likewise.
  func attend(
    _ queries: some Collection<Float>, with kernel: (UnsafePointer<ck_attention>) -> Void
  ) -> [Float] {
    let width = heads * dimension
    let queries = Array(queries)
    var wide = [Float](repeating: .nan, count: rows * stride)
    for row in 0..<rows {
      wide.replaceSubrange(
        row * stride..<row * stride + width, with: queries[row * width..<(row + 1) * width])
    }
    var out = [Float](repeating: .nan, count: rows * stride)
    out.withUnsafeMutableBufferPointer { out in
      wide.withUnsafeBufferPointer { wide in
        sinks.withUnsafeBufferPointer { sinks in
          var attention = ck_attention(
            queries: wide.baseAddress, query_stride: stride, out: out.baseAddress,
            out_stride: stride, rows: rows, heads: heads, dimension: dimension, first: first,
            end: end, step: step, scale: 0.3, cap: cap,
            sinks: sinks.isEmpty ? nil : sinks.baseAddress,
            next: (
              ck_range(start: wide.baseAddress, bytes: wide.count * MemoryLayout<Float>.stride),
              ck_range(), ck_range()
            ))
          kernel(&attention)
        }
      }
    }
    return (0..<rows).flatMap { out[$0 * stride..<$0 * stride + width] }
  }
}
