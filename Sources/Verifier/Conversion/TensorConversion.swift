import Files
import Foundation
import Tensors

/// What becomes of one tensor of a model that is converted.
struct TensorConversion {
  /// Values that are converted at a time, about.
  private static let pieceSize = 1 << 20

  private let name: String
  private let newName: String
  private let shape: [Int]
  private let type: ElementType
  /// nil to keep the stored type.
  private let format: WeightFormat?
  /// Whether rows of what is written are columns of what is read.
  private let transposes: Bool
  /// The values, where they aren't those of the whole tensor in their order.
  private let values: (() throws -> FloatBuffer)?

  /// - Parameter isTransposed: Whether the tensor is a matrix [in, out]. Integers are written [out, in]:
  ///   their groups are those of inputs.
  /// - Throws: `SpeculateError` if the tensor isn't of floats, or no matrix where one is needed.
  init(
    _ name: String, as newName: String, to format: WeightFormat?, isTransposed: Bool = false,
    _ checkpoint: Checkpoint
  ) throws {
    self.name = name
    self.newName = newName
    self.format = format
    values = nil
    let shape = checkpoint.shape(of: name) ?? []
    type = try checkpoint.type(of: name, shape: shape)
    transposes = isTransposed && format?.isQuantized == true && shape.count == 2
    self.shape = transposes ? shape.reversed() : shape
    sourceBytes = shape.reduce(1, *) * type.byteCount
    guard let format else { return }
    guard shape.count == 2, self.shape[1] > 0 else {
      throw SpeculateError(
        "\(checkpoint.url.path): tensor \(quoted(name)) has shape \(shape), but a matrix is needed; "
          + "the checkpoint is damaged or of another model")
    }
    if let complaint = format.complaint(columns: self.shape[1]) {
      throw SpeculateError("\(checkpoint.url.path): tensor \(quoted(name)) \(complaint)")
    }
  }

  /// A matrix that is a part of a stored tensor, written by itself.
  ///
  /// - Parameter bytes: What the part takes of the file.
  private init(
    part: NamedShape, to format: WeightFormat, bytes: Int, _ checkpoint: Checkpoint
  ) throws {
    (name, newName, shape) = (part.storedName, part.name, part.shape)
    self.format = format
    (type, transposes, sourceBytes) = (.f32, false, bytes)
    if let complaint = format.complaint(columns: part.shape[1]) {
      throw SpeculateError("\(checkpoint.url.path): tensor \(quoted(name)) \(complaint)")
    }
    values = { try CheckpointSource(checkpoint, path: checkpoint.url.path).values(part) }
  }

  /// What becomes of a tensor that holds the experts of a layer: each is written by itself.
  ///
  /// - Parameter experts: The experts by the names of the tensors that hold them.
  /// - Returns: nil for any other tensor.
  static func taking(
    _ experts: [String: [NamedShape]], outOf name: String, _ format: WeightFormat,
    _ checkpoint: Checkpoint
  ) throws -> [TensorConversion]? {
    if name.hasSuffix("_scales"), experts[String(name.dropLast(7))] != nil { return [] }
    let whole = name.hasSuffix("_blocks") ? String(name.dropLast(7)) : name
    return try (experts[name] ?? experts[whole])?.map { part in
      let bytes = (checkpoint.byteCount(of: name) ?? 0) / (experts[whole]?.count ?? 1)
      return try TensorConversion(part: part, to: format, bytes: bytes, checkpoint)
    }
  }

  private var rowWidth: Int { shape.count == 2 ? shape[1] : 1 }
  private var rowCount: Int { shape.first ?? 1 }

  /// The tensors that are written for it; nil for itself, in its stored type.
  private var parts: [StoredPart]? { format?.storedParts(rows: rowCount, columns: rowWidth) }

  var outputCount: Int { parts?.count ?? 1 }

  let sourceBytes: Int

  var convertedBytes: Int { parts?.reduce(0) { $0 + $1.byteCount } ?? sourceBytes }

  /// The tensors to be written.
  ///
  /// - Parameter onPiece: Called after every piece, with whether a tensor is finished.
  func outputs(
    of checkpoint: Checkpoint, onPiece: @escaping (_ finished: Bool) throws -> Void
  ) -> [SafetensorsWriter.Entry] {
    guard let format, let parts else { return [unchanged(checkpoint, onPiece: onPiece)] }
    return parts.enumerated().map { index, part in
      SafetensorsWriter.Entry(name: newName + part.suffix, shape: part.shape, type: part.type) {
        sink in
        try eachPiece(of: checkpoint, onPiece: onPiece) { values, rows in
          try format.store(values, rows: rows, columns: rowWidth, part: index, to: sink)
        }
      }
    }
  }

  private func unchanged(
    _ checkpoint: Checkpoint, onPiece: @escaping (_ finished: Bool) throws -> Void
  ) -> SafetensorsWriter.Entry {
    SafetensorsWriter.Entry(
      name: newName, shape: shape, type: StoredType(type)
    ) { sink in
      try checkpoint.withBytes(of: name) { try sink($0) }
      try onPiece(true)
    }
  }

  private var piece: (rows: Int, values: Int) {
    let rows = max(1, min(rowCount, Self.pieceSize / max(1, rowWidth)))
    return (rows, rows * rowWidth)
  }

  /// Hands the tensor over as f32, some rows at a time.
  private func eachPiece(
    of checkpoint: Checkpoint, onPiece: (_ finished: Bool) throws -> Void,
    _ body: (_ values: UnsafePointer<Float>, _ rows: Int) throws -> Void
  ) throws {
    if let values {
      let all = try values()
      for row in stride(from: 0, to: rowCount, by: piece.rows) {
        try body(all.base + row * rowWidth, min(piece.rows, rowCount - row))
        try onPiece(false)
      }
      return try onPiece(true)
    }
    let buffer = FloatBuffer(count: piece.values)
    let column = FloatBuffer(count: transposes ? piece.rows : 0)
    try checkpoint.withBytes(of: name) { bytes in
      guard let base = bytes.baseAddress else { return }
      for row in stride(from: 0, to: rowCount, by: piece.rows) {
        let rows = min(piece.rows, rowCount - row)
        if transposes {
          for index in 0..<rowWidth {
            FloatConversion.widen(
              base + (index * rowCount + row) * type.byteCount, as: type, into: column.base,
              count: rows)
            for place in 0..<rows { buffer.base[place * rowWidth + index] = column.base[place] }
          }
        } else {
          FloatConversion.widen(
            base + row * rowWidth * type.byteCount, as: type, into: buffer.base,
            count: rows * rowWidth)
        }
        try body(buffer.base, rows)
        try onPiece(false)
      }
    }
    try onPiece(true)
  }
}
