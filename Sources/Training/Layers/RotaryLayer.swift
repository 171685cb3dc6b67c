import CKernels
import Foundation
import Tensors

/// Rotary positions, half-split convention (`rotate_half`): no parameters, its own transpose.
package final class RotaryLayer: Sendable {
  package let width: Int
  /// The number of positions the tables cover.
  package let positions: Int
  private let cosines: FloatBuffer  // [positions][width / 2]
  private let sines: FloatBuffer  // [positions][width / 2]

  /// Tables of the angles `position · theta^(−2i / width)`, computed in f64.
  package init(width: Int, theta: Double, positions: Int) {
    precondition(width % 2 == 0, "a rotated head has an even width")
    self.width = width
    self.positions = positions
    let half = width / 2
    cosines = FloatBuffer(count: positions * half)
    sines = FloatBuffer(count: positions * half)
    for i in 0..<half {
      let frequency = pow(theta, -2 * Double(i) / Double(width))
      for position in 0..<positions {
        cosines.base[position * half + i] = Float(cos(Double(position) * frequency))
        sines.base[position * half + i] = Float(sin(Double(position) * frequency))
      }
    }
  }

  /// Rotates `heads` heads of each row in place; rows are `stride` values apart.
  package func forward(
    rows: Int, heads: Int, x: UnsafeMutablePointer<Float>, stride: Int,
    positions: UnsafePointer<Int32>
  ) { rotate(rows, heads, x, stride, positions, 1) }

  /// Rotates the gradient back in place.
  package func backward(
    rows: Int, heads: Int, dX: UnsafeMutablePointer<Float>, stride: Int,
    positions: UnsafePointer<Int32>
  ) { rotate(rows, heads, dX, stride, positions, -1) }

  private func rotate(
    _ rows: Int, _ heads: Int, _ x: UnsafeMutablePointer<Float>, _ stride: Int,
    _ positions: UnsafePointer<Int32>, _ direction: Float
  ) {
    ct_rope(
      ct_groups(rows: rows, groups: heads, width: width, stride: stride), x, positions,
      cosines.base, sines.base, direction)
  }
}
