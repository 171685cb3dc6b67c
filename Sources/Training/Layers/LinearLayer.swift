/// y = x · Wᵀ with W [outputs, inputs] at an offset of the flat parameters.
package struct LinearLayer: Sendable {
  package let offset: Int
  package let inputs: Int
  package let outputs: Int
  let product: MatrixProduct

  /// Writes y [rows, outputs] from x [rows, inputs], or adds to y.
  package func forward(
    _ parameters: UnsafePointer<Float>, rows: Int, x: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>, accumulate: Bool = false
  ) {
    product.timesTransposed(
      rows: rows, columns: outputs, inner: inputs, x, inputs, parameters + offset, inputs,
      into: y, outputs, accumulate: accumulate)
  }

  /// Adds the weight's gradient and writes x's (or adds to it); `dX` nil skips the latter.
  package func backward(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>, rows: Int,
    x: UnsafePointer<Float>, dY: UnsafePointer<Float>, dX: UnsafeMutablePointer<Float>?,
    accumulate: Bool = false
  ) {
    product.transposedTimes(
      rows: outputs, columns: inputs, inner: rows, dY, outputs, x, inputs,
      into: gradients + offset, inputs, accumulate: true)
    guard let dX else { return }
    product.times(
      rows: rows, columns: inputs, inner: outputs, dY, outputs, parameters + offset, inputs,
      into: dX, inputs, accumulate: accumulate)
  }
}
