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

  /// - Throws: `SpeculateError` if the tensor isn't of floats, or no matrix where one is needed.
  init(
    _ name: String, as newName: String, to format: WeightFormat?, _ checkpoint: Checkpoint
  ) throws {
    self.name = name
    self.newName = newName
    self.format = format
    shape = checkpoint.shape(of: name) ?? []
    type = try checkpoint.type(of: name, shape: shape)
    guard let format else { return }
    guard shape.count == 2, shape[1] > 0 else {
      throw SpeculateError(
        "\(checkpoint.url.path): tensor \(quoted(name)) has shape \(shape), but a matrix is needed; "
          + "the checkpoint is damaged or of another model")
    }
    guard format.integerBits == nil || shape[1] <= WeightFormat.integerColumnLimit else {
      throw SpeculateError(
        "\(checkpoint.url.path): tensor \(quoted(name)) has \(shape[1]) columns, but \(format) allows "
          + "\(WeightFormat.integerColumnLimit); use bf16")
    }
  }

  private var count: Int { shape.reduce(1, *) }
  private var rowWidth: Int { shape.count == 2 ? shape[1] : 1 }
  private var rowCount: Int { shape.first ?? 1 }

  /// Tensors that are written for it: the integer formats have scales beside the values.
  var outputCount: Int { format?.integerBits == nil ? 1 : 2 }

  var sourceBytes: Int { count * type.byteCount }

  var convertedBytes: Int {
    let groups = (rowWidth + WeightFormat.groupSize - 1) / WeightFormat.groupSize
    return switch format {
    case nil: sourceBytes
    case .f32: 4 * count
    case .bf16: 2 * count
    case .int8: count + 2 * rowCount * groups
    case .int4: rowCount * ((rowWidth + 1) / 2 + 2 * groups)
    }
  }

  /// The tensors to be written.
  ///
  /// - Parameter onPiece: Called after every piece, with whether a tensor is finished.
  func outputs(
    of checkpoint: Checkpoint, onPiece: @escaping (_ finished: Bool) throws -> Void
  ) -> [SafetensorsWriter.Entry] {
    guard let format, let bits = format.integerBits else {
      return [floats(of: checkpoint, onPiece: onPiece)]
    }
    let groups = (rowWidth + WeightFormat.groupSize - 1) / WeightFormat.groupSize
    let width = bits == 8 ? rowWidth : (rowWidth + 1) / 2
    return [
      SafetensorsWriter.Entry(
        name: newName, shape: [rowCount, width], type: bits == 8 ? .i8 : .u8
      ) { sink in
        try eachPiece(of: checkpoint, bits: bits, onPiece: onPiece) { try $0.withValues($1, sink) }
      },
      SafetensorsWriter.Entry(
        name: newName + StoredIntegers.scaleSuffix, shape: [rowCount, groups], type: .f16
      ) { sink in
        try eachPiece(of: checkpoint, bits: bits, onPiece: onPiece) { try $0.withScales($1, sink) }
      },
    ]
  }

  private func floats(
    of checkpoint: Checkpoint, onPiece: @escaping (_ finished: Bool) throws -> Void
  ) -> SafetensorsWriter.Entry {
    let target: ElementType =
      switch format {
      case .f32: .f32
      case .bf16: .bf16
      default: type
      }
    let stored: StoredType =
      switch target {
      case .f32: .f32
      case .f16: .f16
      case .bf16: .bf16
      }
    return SafetensorsWriter.Entry(name: newName, shape: shape, type: stored) { sink in
      let out = UnsafeMutableRawPointer.allocate(byteCount: 4 * piece.values, alignment: 64)
      defer { out.deallocate() }
      try eachPiece(of: checkpoint, onPiece: onPiece) { values, rows in
        let count = rows * rowWidth
        FloatConversion.narrow(values, to: target, into: out, count: count)
        try sink(UnsafeRawBufferPointer(start: out, count: count * target.byteCount))
      }
    }
  }

  private func eachPiece(
    of checkpoint: Checkpoint, bits: Int, onPiece: (_ finished: Bool) throws -> Void,
    _ body: (_ piece: QuantizedRows, _ rows: Int) throws -> Void
  ) throws {
    let buffer = QuantizedRows(rows: piece.rows, columns: rowWidth, bits: bits)
    try eachPiece(of: checkpoint, onPiece: onPiece) { values, rows in
      buffer.quantize(values, count: rows)
      try body(buffer, rows)
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
    let buffer = FloatBuffer(count: piece.values)
    try checkpoint.withBytes(of: name) { bytes in
      guard let base = bytes.baseAddress else { return }
      for row in stride(from: 0, to: rowCount, by: piece.rows) {
        let rows = min(piece.rows, rowCount - row)
        FloatConversion.widen(
          base + row * rowWidth * type.byteCount, as: type, into: buffer.base,
          count: rows * rowWidth)
        try body(buffer.base, rows)
        try onPiece(false)
      }
    }
    try onPiece(true)
  }
}
