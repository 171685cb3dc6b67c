import Tensors

extension FloatBuffer {
  /// A copy of the values; the buffer lives until it is made.
  var values: [Float] {
    withExtendedLifetime(self) { Array(UnsafeBufferPointer(start: base, count: count)) }
  }
}
