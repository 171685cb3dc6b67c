import CKernels

/// A run of keys and values that a tile of queries may see, and where their gradients go.
///
/// All pointers are to the first row of one key/value head; rows are `stride` values apart.
package struct KeySegment {
  /// The row of the first key.
  var row: Int
  package var count: Int
  package var keys: UnsafePointer<Float>  // [count][head width]
  package var keyStride: Int
  package var values: UnsafePointer<Float>  // [count][head width]
  package var valueStride: Int
}

/// Softmax attention of a few queries of one head to one or more segments of keys.
///
/// The one piece of attention with arithmetic in it: causal attention calls it with one segment and
/// a visible prefix, a block drafter with the context and the block as two segments.
package struct AttentionTile: Sendable {
  package let width: Int
  let product: MatrixProduct
  /// What scores are multiplied by.
  package var scale: Float { 1 / Float(width).squareRoot() }

  /// Writes `output` and keeps `probabilities` for the backward pass.
  ///
  /// - Parameters:
  ///   - queries: [rows, width], rows `queryStride` apart.
  ///   - segments: The keys, whose columns follow one another in `probabilities`.
  ///   - visible: [rows]: how many of all columns each query sees, from the first.
  ///   - probabilities: [rows, columns], rows `stride` apart.
  ///   - output: [rows, width], rows `outputStride` apart.
  package func forward(
    rows: Int, queries: UnsafePointer<Float>, queryStride: Int, segments: [KeySegment],
    visible: UnsafePointer<Int32>, probabilities: UnsafeMutablePointer<Float>, stride: Int,
    output: UnsafeMutablePointer<Float>, outputStride: Int
  ) {
    var column = 0
    for segment in segments {
      product.timesTransposed(
        rows: rows, columns: segment.count, inner: width, queries, queryStride, segment.keys,
        segment.keyStride, into: probabilities + column, stride)
      column += segment.count
    }
    ct_attention_softmax(rows, column, stride, visible, scale, probabilities)
    column = 0
    for (index, segment) in segments.enumerated() {
      product.times(
        rows: rows, columns: width, inner: segment.count, probabilities + column, stride,
        segment.values, segment.valueStride, into: output, outputStride, accumulate: index > 0)
      column += segment.count
    }
  }

  /// Writes the queries' gradient and adds those of keys and values.
  ///
  /// - Parameters:
  ///   - dOutput: [rows, width]; rows of it and of `output` are `outputStride` apart.
  ///   - dQueries: [rows, width], rows `dStride` apart.
  ///   - dKeys: Where the gradients of row 0's key would be added, whatever segments there are; rows are
  ///     `dStride` apart, here and in `dValues`.
  ///   - scratch: [rows, stride] for the gradient of the scores.
  ///   - dots: [rows] of scratch.
  package func backward(
    rows: Int, queries: UnsafePointer<Float>, queryStride: Int, segments: [KeySegment],
    probabilities: UnsafePointer<Float>, stride: Int, output: UnsafePointer<Float>,
    dOutput: UnsafePointer<Float>, outputStride: Int, dQueries: UnsafeMutablePointer<Float>,
    dKeys: UnsafeMutablePointer<Float>, dValues: UnsafeMutablePointer<Float>, dStride: Int,
    scratch: UnsafeMutablePointer<Float>, dots: UnsafeMutablePointer<Float>
  ) {
    var column = 0
    for segment in segments {
      product.transposedTimes(
        rows: segment.count, columns: width, inner: rows, probabilities + column, stride, dOutput,
        outputStride, into: dValues + segment.row * dStride, dStride, accumulate: true)
      product.timesTransposed(
        rows: rows, columns: segment.count, inner: width, dOutput, outputStride, segment.values,
        segment.valueStride, into: scratch + column, stride)
      column += segment.count
    }
    ct_row_dots(rows, width, dOutput, outputStride, output, outputStride, dots)
    ct_attention_softmax_backward(rows, column, stride, probabilities, dots, scale, scratch)
    column = 0
    for (index, segment) in segments.enumerated() {
      product.times(
        rows: rows, columns: width, inner: segment.count, scratch + column, stride, segment.keys,
        segment.keyStride, into: dQueries, dStride, accumulate: index > 0)
      product.transposedTimes(
        rows: segment.count, columns: width, inner: rows, scratch + column, stride, queries,
        queryStride, into: dKeys + segment.row * dStride, dStride, accumulate: true)
      column += segment.count
    }
  }
}
