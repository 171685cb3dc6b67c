package import Files

/// A checkpoint that remembers which tensors were asked for, so that leftovers can be named.
package final class CheckpointSource: WeightSource {
  private let checkpoint: Checkpoint
  private let path: String
  private let keepsBlocks: Bool
  private let floatActivations: Bool
  private var used: Set<String> = []

  /// - Parameters:
  ///   - keepsBlocks: Whether matrices that are published in blocks stay as they are, whatever format is asked
  ///     for.
  ///   - floatActivations: Whether products of such matrices take activations in f32.
  package init(
    _ checkpoint: Checkpoint, path: String, keepsBlocks: Bool = false,
    floatActivations: Bool = false
  ) {
    self.checkpoint = checkpoint
    self.path = path
    self.keepsBlocks = keepsBlocks
    self.floatActivations = floatActivations
  }

  package func holds(_ name: String) -> Bool { checkpoint.shape(of: name) != nil }

  package func values(_ tensor: NamedShape) throws -> FloatBuffer {
    used.insert(tensor.storedName)
    if tensor.shape.count == 2 {
      if let blocks = try published(tensor) { return try blocks.floats() }
      for format in WeightFormat.named {
        if let stored = try stored(tensor, format: format) { return try stored.floats() }
      }
    }
    return try checkpoint.floats(tensor)
  }

  package func stored(_ tensor: NamedShape, format: WeightFormat) throws -> (any StoredMatrix)? {
    if let blocks = try published(tensor) {
      let own = WeightFormat(MXFP4Coding.self)
      return keepsBlocks
        ? KeptMatrix(blocks, format: floatActivations ? own.withFloatActivations : own) : nil
    }
    let stored = try format.coding.stored(tensor, in: checkpoint)
    used.formUnion(stored?.names ?? [])
    return stored
  }

  /// A matrix that is published in blocks; nil if this one isn't.
  private func published(_ tensor: NamedShape) throws -> StoredBlocks<MXFP4Coding>? {
    let blocks = try StoredBlocks<MXFP4Coding>.published(tensor, in: checkpoint)
    used.formUnion(blocks?.names ?? [])
    return blocks
  }

  /// Checks that a tensor is there, in its shape and of a type to compute with, and reads no value.
  ///
  /// - Returns: The format that takes it as it is stored, if it has one of its own.
  /// - Throws: `SpeculateError` naming the tensor and what is wrong.
  @discardableResult
  package func check(_ tensor: NamedShape) throws -> WeightFormat? {
    used.insert(tensor.storedName)
    if tensor.shape.count == 2 {
      if try published(tensor) != nil { return WeightFormat(MXFP4Coding.self) }
      for format in WeightFormat.named where try stored(tensor, format: format) != nil {
        return nil
      }
    }
    _ = try checkpoint.type(of: tensor.storedName, shape: tensor.storedShape)
    return nil
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
    try floats(NamedShape(name, shape))
  }

  /// The same, wherever the tensor is stored.
  ///
  /// - Throws: As `floats(_:shape:)`.
  package func floats(_ tensor: NamedShape) throws -> FloatBuffer {
    let type = try type(of: tensor.storedName, shape: tensor.storedShape)
    let buffer = FloatBuffer(count: tensor.shape.reduce(1, *))
    try withBytes(of: tensor.storedName) { bytes in
      guard let start = bytes.baseAddress, buffer.count > 0 else { return }
      guard let part = tensor.part else {
        FloatConversion.widen(start, as: type, into: buffer.base, count: buffer.count)
        return
      }
      let rows = tensor.shape[0]
      let columns = buffer.count / rows
      guard part.isTransposed else {
        let rowBytes = columns * type.byteCount
        for row in 0..<rows {
          FloatConversion.widen(
            start + part.order.place(of: row) * rowBytes, as: type,
            into: buffer.base + row * columns, count: columns)
        }
        return
      }
      let places = (0..<rows).map(part.order.place)
      let width = part.rows ?? rows
      let column = FloatBuffer(count: width)
      for index in 0..<columns {
        FloatConversion.widen(
          start + (part.firstInput + index) * width * type.byteCount, as: type,
          into: column.base, count: width)
        for row in 0..<rows { buffer.base[row * columns + index] = column.base[places[row]] }
      }
    }
    return buffer
  }
}
