internal import CKernels

/// Row operations that models and decoders share. All are deterministic and row-wise.
package enum Kernels {
  /// `y = x / sqrt(mean(x²) + epsilon) · weight` over `count` values; `x` and `y` may be the same.
  package static func rmsNorm(
    _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    count: Int, epsilon: Float
  ) {
    ck_rms_norm(x, weight, y, count, epsilon)
  }

  /// Rotates the pairs of one head by angles given as cosines and sines `[count/2]`.
  package static func rope(
    _ head: UnsafeMutablePointer<Float>, cosine: UnsafePointer<Float>, sine: UnsafePointer<Float>,
    count: Int, pairs: RotaryPairs = .halves
  ) {
    switch pairs {
    case .halves: ck_rope(head, cosine, sine, count)
    case .neighbours: ck_rope_pairs(head, cosine, sine, count)
    }
  }

  /// `x = cap · tanh(x / cap)` over `count` values.
  package static func softCap(_ x: UnsafeMutablePointer<Float>, count: Int, cap: Float) {
    ck_soft_cap(x, count, cap)
  }

  /// `y = (x − mean(x)) / sqrt(variance(x) + epsilon) · weight + bias` over `count` values; `x` and `y`
  /// may be the same.
  package static func layerNorm(
    _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    into y: UnsafeMutablePointer<Float>, count: Int, epsilon: Float
  ) {
    ck_layer_norm(x, weight, bias, y, count, epsilon)
  }

  /// `y += x` over `count` values.
  package static func add(
    _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int
  ) {
    ck_add(y, x, count)
  }

  /// `y += factor · x` over `count` values, fused.
  package static func add(
    _ x: UnsafePointer<Float>, times factor: Float, to y: UnsafeMutablePointer<Float>, count: Int
  ) {
    ck_add_scaled(y, x, count, factor)
  }

  /// `gate = g · sigmoid(alpha · g) · (u + 1)` over `count` values: `g` is the gate, at most `limit`, and
  /// `u` is up, from `-limit` to `limit`.
  package static func swigluClamped(
    gate: UnsafeMutablePointer<Float>, up: UnsafePointer<Float>, count: Int, alpha: Float,
    limit: Float
  ) {
    ck_swiglu_clamped(gate, up, gate, count, alpha, limit)
  }

  /// `x *= factor` over `count` values.
  package static func scale(_ x: UnsafeMutablePointer<Float>, by factor: Float, count: Int) {
    ck_scale(x, count, factor)
  }

  /// Brings `count` values to the range from `-bound` to `bound`.
  package static func clip(_ x: UnsafeMutablePointer<Float>, count: Int, bound: Float) {
    ck_clip(x, count, bound)
  }

  /// The index of the greatest of `count` values; of equals the lowest index.
  package static func argmax(_ x: UnsafePointer<Float>, count: Int) -> Int { ck_argmax(x, count) }

  /// The greatest of `count` values; negative infinity when there are none.
  package static func maximum(_ x: UnsafePointer<Float>, count: Int) -> Float {
    ck_maximum(x, count)
  }

  /// The index of the greatest of `count` values, of equals the lowest; nil if one is NaN or infinite.
  package static func finiteArgmax(_ x: UnsafePointer<Float>, count: Int) -> Int? {
    let index = ck_finite_argmax(x, count)
    return index < count ? index : nil
  }

  /// The greatest of `count` values; nil if one is NaN or infinite.
  package static func finiteMaximum(_ x: UnsafePointer<Float>, count: Int) -> Float? {
    let maximum = ck_finite_maximum(x, count)
    return maximum.isFinite ? maximum : nil
  }

  /// `y = exp((x − shift) · scale)` over `count` values; `y` may be `x`.
  /// - Returns: The sum of `y`, added in a fixed order.
  @discardableResult
  package static func exp(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, shift: Float = 0,
    scale: Float = 1
  ) -> Float {
    ck_exp(x, y, count, shift, scale)
  }

  /// Softmax of `count` values in place: `exp(x − max) / sum`.
  package static func softmax(_ x: UnsafeMutablePointer<Float>, count: Int) {
    let sum = ck_exp(x, x, count, ck_maximum(x, count), 1)
    ck_scale(x, count, 1 / sum)
  }

  /// The sum of `count` values, read as fast as the machine can: the yardstick for bandwidth.
  package static func readSum(_ x: UnsafePointer<Float>, count: Int) -> Float {
    ck_read_sum(x, count)
  }
}
