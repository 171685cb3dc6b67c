import CKernels

/// silu(gate) · up (SwiGLU without its matrices): no parameters.
package struct GatedActivation: Sendable {
  /// The width of the output; an input row is gate[width] then up[width].
  package let width: Int

  /// Writes y [rows, width] from gateUp [rows, 2 width].
  package func forward(
    rows: Int, gateUp: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
  ) { ct_swiglu_forward(rows, width, gateUp, y) }

  /// Writes dGateUp [rows, 2 width] from dY [rows, width].
  package func backward(
    rows: Int, gateUp: UnsafePointer<Float>, dY: UnsafePointer<Float>,
    dGateUp: UnsafeMutablePointer<Float>
  ) { ct_swiglu_backward(rows, width, gateUp, dY, dGateUp) }
}
