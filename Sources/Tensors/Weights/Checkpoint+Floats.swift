package import Files

extension Checkpoint {
  /// A tensor's values as f32, whatever floating-point type they are stored in.
  ///
  /// - Parameters:
  ///   - name: The tensor.
  ///   - shape: The shape it must have.
  /// - Throws: `SpeculateError` if it is missing, of another shape or of a type without floats here.
  package func floats(_ name: String, shape: [Int]) throws -> FloatBuffer {
    let type = try type(of: name, shape: shape)
    return try withBytes(of: name) { bytes in
      let buffer = FloatBuffer(count: bytes.count / type.byteCount)
      if let start = bytes.baseAddress {
        FloatConversion.widen(start, as: type, into: buffer.base, count: buffer.count)
      }
      return buffer
    }
  }
}
