/// Where a model's weights come from: named tensors of known shapes, as f32.
package protocol WeightSource {
  /// The values of a tensor.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is missing or has another shape.
  func values(_ name: String, _ shape: [Int]) throws -> FloatBuffer
}
