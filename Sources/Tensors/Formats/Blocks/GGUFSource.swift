internal import CKernels
package import Files
internal import Foundation

/// The weights of a GGUF model by the names that this package has for them.
///
/// A matrix asked for as it is stored keeps the format that the file has it in, which may differ
/// between the matrices of one model; one asked for in another format is converted.
package final class GGUFSource: WeightSource {
  /// Where the file has a tensor.
  package typealias Place = TensorPart

  private let file: GGUFFile
  private let places: [String: Place]
  private let kept: Set<String>
  private let floatActivations: Bool
  private var used: Set<String> = []

  /// - Parameters:
  ///   - places: Where the file has what the model asks for.
  ///   - kept: The tensors that keep the formats of the file, whatever format is asked for.
  ///   - floatActivations: Whether the products of matrices that are taken as they are stored take
  ///     activations in f32.
  package init(
    _ file: GGUFFile, places: [String: Place], kept: Set<String> = [],
    floatActivations: Bool = false
  ) {
    self.file = file
    self.floatActivations = floatActivations
    self.places = places
    self.kept = kept
  }

  /// The format that takes a tensor as it is stored: f32 for F16, which has no format of its own.
  ///
  /// - Throws: `SpeculateError` naming the tensor when it is of a type that nothing here computes with.
  package static func format(of tensor: GGUFFile.Tensor, in file: GGUFFile) throws -> WeightFormat {
    switch tensor.type {
    case .f32, .f16: return .f32
    case .bf16: return .bf16
    case .q80: return .int8
    case .q40: return .int4
    default:
      if let coding = blockCoding(of: tensor.type) { return WeightFormat(coding) }
      throw SpeculateError(
        "\(file.url.path): tensor \(quoted(tensor.name)) is \(tensor.type), which is not supported; "
          + "take a file with "
          + "Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, MXFP4, F16, BF16 or F32")
    }
  }

  private static func blockCoding(of type: GGUFTensorType) -> (any BlockCoding.Type)? {
    for format in WeightFormat.blocks {
      if let coding = format.coding as? any BlockCoding.Type, coding.type.rawValue == type.id {
        return coding
      }
    }
    return nil
  }

  package func holds(_ name: String) -> Bool {
    places[name].map { file.tensor($0.name) != nil } ?? false
  }

  package func values(_ wanted: NamedShape) throws -> FloatBuffer {
    let shape = wanted.shape
    let (tensor, order) = try find(wanted)
    guard let type = tensor.type.elementType else {
      let columns = shape.last ?? 1
      return try stored(tensor, order, rows: shape.dropLast().reduce(1, *), columns: columns)
        .floats()
    }
    let columns = shape.count > 1 ? shape[shape.count - 1] : 1
    let buffer = FloatBuffer(count: shape.reduce(1, *))
    try file.withBytes(of: tensor.name) { bytes in
      guard let source = bytes.baseAddress, columns > 0 else { return }
      for row in 0..<buffer.count / columns {
        FloatConversion.widen(
          source + order.place(of: row) * columns * type.byteCount, as: type,
          into: buffer.base + row * columns, count: columns)
      }
    }
    return buffer
  }

  package func stored(_ wanted: NamedShape, format: WeightFormat) throws -> (any StoredMatrix)? {
    let (rows, columns) = (wanted.shape[0], wanted.shape[1])
    let (tensor, order) = try find(wanted)
    let own = try Self.format(of: tensor, in: file)
    if kept.contains(wanted.name) {
      let matrix =
        tensor.type.elementType == nil
        ? try stored(tensor, order, rows: rows, columns: columns)
        : StoredFloats(
          name: tensor.name, try values(wanted), rows: rows, columns: columns,
          format: own)
      return KeptMatrix(matrix, format: floatActivations ? own.withFloatActivations : own)
    }
    guard tensor.type.elementType == nil, own == format || own.withFloatActivations == format else {
      return nil
    }
    return try stored(tensor, order, rows: rows, columns: columns)
  }

  /// A tensor of blocks.
  private func stored(
    _ tensor: GGUFFile.Tensor, _ order: RowOrder, rows: Int, columns: Int
  ) throws -> any StoredMatrix {
    func bytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
      try file.withBytes(of: tensor.name, body)
    }
    func blocks<Coding: BlockCoding>(_ coding: Coding.Type) -> any StoredMatrix {
      StoredBlocks<Coding>(
        names: [tensor.name], rows: rows, columns: columns, order: order, withBytes: bytes)
    }
    switch tensor.type {
    case .q80:
      return StoredIntegerBlocks<Int8Coding>(
        name: tensor.name, rows: rows, columns: columns, order: order, withBytes: bytes)
    case .q40:
      return StoredIntegerBlocks<Int4Coding>(
        name: tensor.name, rows: rows, columns: columns, order: order, withBytes: bytes)
    default:
      _ = try Self.format(of: tensor, in: file)
      guard let coding = Self.blockCoding(of: tensor.type) else {
        preconditionFailure("floats aren't stored in blocks")
      }
      return blocks(coding)
    }
  }

  /// Checks that a tensor is there, in its shape and of a type to compute with, and reads no value.
  ///
  /// - Returns: The format that takes it as it is stored.
  /// - Throws: `SpeculateError` naming the tensor and what is wrong.
  @discardableResult
  package func check(_ tensor: NamedShape) throws -> WeightFormat {
    try Self.format(of: find(tensor).0, in: file)
  }

  /// The tensor that holds another, checked to be of the right shape.
  private func find(_ wanted: NamedShape) throws -> (GGUFFile.Tensor, RowOrder) {
    let name = wanted.name
    let place = places[name]
    let shape =
      place?.shape ?? place?.rows.map { [$0] + wanted.shape.dropFirst() } ?? wanted.shape
    guard let place = places[name], let tensor = file.tensor(place.name) else {
      throw SpeculateError(
        "\(file.url.path): there is no tensor \(quoted(places[name]?.name ?? name)) of shape "
          + "\(shape); the model is incomplete or of another architecture")
    }
    used.insert(place.name)
    guard tensor.shape == shape else {
      throw SpeculateError(
        "\(file.url.path): tensor \(quoted(tensor.name)) has shape \(tensor.shape), but \(shape) is "
          + "needed; the metadata and the tensors are not of the same model")
    }
    return (tensor, place.order)
  }

  /// Checks that no tensor was left over.
  ///
  /// - Throws: `SpeculateError` naming the first tensor that the architecture has no place for.
  package func finish(ignoring ignored: (String) -> Bool) throws {
    guard let extra = file.names.first(where: { !used.contains($0) && !ignored($0) }) else {
      return
    }
    throw SpeculateError(
      "\(file.url.path): tensor \(quoted(extra)) has no place in the model that the metadata "
        + "describes; this model computes something that is not supported")
  }
}

/// A matrix that is packed for its own format, whatever is asked for.
struct KeptMatrix: StoredMatrix {
  private let matrix: any StoredMatrix
  let format: WeightFormat?

  init(_ matrix: any StoredMatrix, format: WeightFormat) {
    self.matrix = matrix
    self.format = format
  }

  var names: [String] { matrix.names }
  func pack(into panels: UnsafeMutableRawPointer) throws { try matrix.pack(into: panels) }
  func encode(into table: UnsafeMutableRawPointer) throws { try matrix.encode(into: table) }
  func floats() throws -> FloatBuffer { try matrix.floats() }
}

/// A matrix of floats, in the order of the model.
private struct StoredFloats: StoredMatrix {
  let names: [String]
  private let values: FloatBuffer
  private let rows: Int
  private let columns: Int
  private let coding: any WeightCoding.Type

  init(name: String, _ values: FloatBuffer, rows: Int, columns: Int, format: WeightFormat) {
    names = [name]
    self.values = values
    self.rows = rows
    self.columns = columns
    coding = format.coding
  }

  func pack(into panels: UnsafeMutableRawPointer) {
    let bytes = coding.panelBytes(columns: columns)
    for first in stride(from: 0, to: rows, by: Int(CK_PANEL)) {
      coding.pack(
        values.base, rows: rows, columns: columns, first: first,
        into: panels + first / Int(CK_PANEL) * bytes)
    }
  }

  func encode(into table: UnsafeMutableRawPointer) {
    coding.encode(values.base, rows: rows, columns: columns, into: table)
  }

  func floats() -> FloatBuffer { values }
}
