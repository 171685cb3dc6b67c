package import Files

/// A checkpoint that remembers which tensors were asked for, so that leftovers can be named.
package final class CheckpointSource: WeightSource {
  private let checkpoint: Checkpoint
  private let path: String
  private var used: Set<String> = []

  package init(_ checkpoint: Checkpoint, path: String) {
    self.checkpoint = checkpoint
    self.path = path
  }

  package func has(_ name: String) -> Bool { checkpoint.shape(of: name) != nil }

  package func values(_ name: String, _ shape: [Int]) throws -> FloatBuffer {
    used.insert(name)
    if shape.count == 2 {
      for format in WeightFormat.named {
        if let stored = try stored(name, rows: shape[0], columns: shape[1], format: format) {
          return try stored.floats()
        }
      }
    }
    return try checkpoint.floats(name, shape: shape)
  }

  package func stored(
    _ name: String, rows: Int, columns: Int, format: WeightFormat
  ) throws -> (any StoredMatrix)? {
    let stored = try format.coding.stored(name, in: checkpoint, rows: rows, columns: columns)
    used.formUnion(stored?.names ?? [])
    return stored
  }

  /// Checks that a tensor is there, in its shape and of a type to compute with, and reads no value.
  ///
  /// - Throws: `SpeculateError` naming the tensor and what is wrong.
  package func check(_ tensor: NamedShape) throws {
    used.insert(tensor.name)
    if tensor.shape.count == 2 {
      for format in WeightFormat.named
      where try stored(
        tensor.name, rows: tensor.shape[0], columns: tensor.shape[1], format: format) != nil
      { return }
    }
    _ = try checkpoint.type(of: tensor.name, shape: tensor.shape)
  }

  /// A vector of integers stored as I64.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is missing, of another type or length.
  package func integers(_ name: String, count: Int) throws -> [Int] {
    used.insert(name)
    let stored = checkpoint.storedType(of: name)
    guard stored == .i64, checkpoint.shape(of: name) == [count] else {
      let shape = checkpoint.shape(of: name).map { " of shape \($0)" } ?? ""
      throw SpeculateError(
        "\(path): tensor '\(name)' is \(stored?.rawValue ?? "missing")\(shape), but I64 of shape [\(count)] is needed; "
          + "config.json and the weights are not of the same model")
    }
    return try checkpoint.withBytes(of: name) { bytes in
      (0..<count).map { index in
        Int(
          truncatingIfNeeded: Int64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: Int64.self)))
      }
    }
  }

  /// Checks that no tensor was left over.
  ///
  /// - Parameter ignored: Names that files carry though they can be computed.
  /// - Throws: `SpeculateError` naming the first tensor that the configuration has no place for.
  package func finish(ignoring ignored: (String) -> Bool) throws {
    guard let extra = checkpoint.names.first(where: { !used.contains($0) && !ignored($0) }) else {
      return
    }
    throw SpeculateError(
      "\(path): tensor '\(extra)' has no place in the model that config.json describes; "
        + "check that both belong together")
  }
}

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
