import CKernels

/// x / rms(x) · w over each vector of a row: the whole row, or each of its heads.
package struct RMSNormLayer: Sendable {
  package let offset: Int  // of the weight [width] in the flat parameters
  package let width: Int  // of a normalized vector
  package var groups = 1  // vectors of a row, which share the weight
  package let epsilon: Float

  /// Writes y and keeps `inverse` [rows, groups] for the backward pass.
  ///
  /// - Parameters:
  ///   - x: The first vector; rows are `xStride` values apart.
  ///   - y: The output; rows are `yStride` apart.
  package func forward(
    _ parameters: UnsafePointer<Float>, rows: Int, x: UnsafePointer<Float>, xStride: Int,
    y: UnsafeMutablePointer<Float>, yStride: Int, inverse: UnsafeMutablePointer<Float>
  ) {
    ct_rmsnorm_forward(
      ct_groups(rows: rows, groups: groups, width: width, stride: xStride), x, parameters + offset,
      epsilon, y, yStride, inverse)
  }

  /// Adds the weight's gradient and writes x's (or adds to it). `dX` may be `dY`; the rows of both
  /// are `dStride` apart.
  package func backward(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>, rows: Int,
    x: UnsafePointer<Float>, xStride: Int, inverse: UnsafePointer<Float>, dY: UnsafePointer<Float>,
    dX: UnsafeMutablePointer<Float>, dStride: Int, accumulate: Bool = false
  ) {
    ct_rmsnorm_backward(
      ct_groups(rows: rows, groups: groups, width: width, stride: xStride), x, parameters + offset,
      inverse, dY, dX, dStride, accumulate ? 1 : 0, gradients + offset)
  }
}
