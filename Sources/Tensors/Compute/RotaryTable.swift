internal import Foundation

/// Cosines and sines of the rotary embedding for positions `0 ..< capacity`.
public final class RotaryTable: Sendable {
  private let cosines: FloatBuffer  // [capacity][half]
  private let sines: FloatBuffer  // [capacity][half]
  private let half: Int

  /// How many positions the table covers.
  public let capacity: Int

  /// Computes the table in double precision.
  ///
  /// - Complexity: O(capacity · dimension).
  public init(dimension: Int, theta: Double, scaling: RopeScaling, capacity: Int) {
    half = dimension / 2
    self.capacity = capacity
    cosines = FloatBuffer(count: capacity * half)
    sines = FloatBuffer(count: capacity * half)
    let frequencies = scaling.frequencies(dimension: dimension, theta: theta)
    for position in 0..<capacity {
      for (pair, frequency) in frequencies.enumerated() {
        let angle = Double(position) * frequency
        cosines.base[position * half + pair] = Float(cos(angle))
        sines.base[position * half + pair] = Float(sin(angle))
      }
    }
  }

  /// Rotates one head `[dimension]` in place to `position`.
  func rotate(_ head: UnsafeMutablePointer<Float>, to position: Int) {
    Kernels.rope(
      head, cosine: cosines.base + position * half, sine: sines.base + position * half,
      count: half * 2)
  }
}
