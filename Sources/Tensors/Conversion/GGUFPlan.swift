package import Files
package import Foundation

/// A GGUF file that is to be written: its metadata and what becomes of every tensor.
///
/// Tensors are converted one after the other and in pieces, so that memory stays small whatever the
/// model's size.
package struct GGUFPlan {
  /// A small tensor that the file has and the model's own files lack.
  package struct Extra {
    let tensor: GGUFFile.Tensor
    let bytes: [UInt8]

    /// A vector in F32.
    package init(_ name: String, _ values: [Float]) {
      tensor = GGUFFile.Tensor(name: name, type: .f32, shape: [values.count])
      bytes = values.withUnsafeBytes { Array($0) }
    }

    /// A vector in I64.
    package init(_ name: String, integers: [Int]) {
      tensor = GGUFFile.Tensor(name: name, type: .i64, shape: [integers.count])
      bytes = integers.map { Int64($0).littleEndian }.withUnsafeBytes { Array($0) }
    }
  }

  package let metadata: [(key: String, value: GGUFValue)]
  private let conversions: [GGUFConversion]
  private let extras: [Extra]

  /// Makes a plan.
  ///
  /// - Parameters:
  ///   - architecture: `general.architecture`.
  ///   - name: `general.name`.
  ///   - types: How matrices are stored, for `general.file_type`.
  ///   - metadata: All other keys.
  package init(
    architecture: String, name: String, types: GGUFTypes,
    metadata: [(key: String, value: GGUFValue)], _ conversions: [GGUFConversion],
    extras: [Extra] = []
  ) {
    self.metadata =
      [
        ("general.architecture", .string(architecture)), ("general.name", .string(name)),
        ("general.file_type", .uint32(types.fileType)),
        ("general.quantization_version", .uint32(2)),
      ] + metadata
    self.conversions = conversions
    self.extras = extras
  }

  package var tensorCount: Int { conversions.count + extras.count }
  package var byteCount: Int {
    conversions.reduce(0) { $0 + $1.byteCount } + extras.reduce(0) { $0 + $1.bytes.count }
  }

  /// The types of the tensors, with their number, most bytes first.
  package var types: [(type: GGUFTensorType, count: Int)] {
    Dictionary(grouping: conversions, by: \.type)
      .map { type, some in (type, some.count, some.reduce(0) { $0 + $1.byteCount }) }
      .sorted { ($1.2, $0.0.name) < ($0.2, $1.0.name) }.map { ($0.0, $0.1) }
  }

  /// What a user should know of the result.
  package var notes: [String] {
    let replaced = Dictionary(grouping: conversions.filter { $0.wanted != nil }) {
      "\($0.wanted?.name ?? "") \($0.type.name)"
    }
    var notes = replaced.sorted { $0.key < $1.key }.compactMap { _, some -> String? in
      guard let first = some.first, let wanted = first.wanted else { return nil }
      return "\(Self.count(some)) rows that don't fill blocks of \(wanted.blockColumns) columns, "
        + "so \(some.count == 1 ? "it is" : "they are") stored in \(first.type), not \(wanted)"
    }
    let again = conversions.filter(\.roundsAgain)
    if !again.isEmpty {
      notes.append(
        "\(Self.count(again)) values that were rounded before; each rounding adds to the last")
    }
    return notes
  }

  private static func count(_ some: [GGUFConversion]) -> String {
    some.count == 1 ? "1 matrix has" : "\(some.count) matrices have"
  }

  /// The file as its readers will see it, without the values of matrices.
  package func outline(at url: URL) -> GGUFFile {
    GGUFFile(
      planned: url, metadata: Dictionary(metadata.map { ($0.key, $0.value) }) { first, _ in first },
      tensors: conversions.map {
        GGUFFile.Tensor(name: $0.name, type: $0.type, shape: $0.shape)
      } + extras.map(\.tensor),
      values: Dictionary(extras.map { ($0.tensor.name, $0.bytes) }) { first, _ in first })
  }

  /// Writes the file.
  ///
  /// - Parameter onPiece: Called often, with the tensors done; what it throws ends the conversion and leaves
  ///   nothing behind.
  /// - Throws: `SpeculateError` if it can't be written, or a tensor is damaged.
  package func write(
    to destination: GGUFDestination, onPiece: @escaping (_ done: Int) throws -> Void
  ) throws {
    var done = 0
    func finish(_ finished: Bool) throws {
      if finished { done += 1 }
      try onPiece(done)
    }
    let entries =
      conversions.map { $0.output(onPiece: finish) }
      + extras.map { extra in
        GGUFWriter.Entry(
          name: extra.tensor.name, type: extra.tensor.type, shape: extra.tensor.shape
        ) { sink in
          try extra.bytes.withUnsafeBytes { try sink($0) }
          try finish(true)
        }
      }
    try destination.write(metadata: metadata, entries)
  }
}

/// The types that a GGUF file holds a model's matrices in.
package struct GGUFTypes: Sendable, Equatable {
  package var layers: GGUFTensorType
  package var head: GGUFTensorType
  package var embedding: GGUFTensorType

  /// Makes a choice for each part; what is left out is `layers` for the head, but Q8_0 where a weight
  /// of the layers has less than 5 bits and a scale, and the head's for the embedding.
  package init(
    layers: GGUFTensorType, head: GGUFTensorType? = nil, embedding: GGUFTensorType? = nil
  ) {
    let isNarrow = 8 * layers.blockBytes <= 5 * layers.blockColumns
    self.layers = layers
    self.head = head ?? (isNarrow ? .q80 : layers)
    self.embedding = embedding ?? self.head
  }

  /// `Q4_K, head Q8_0`
  package var description: String {
    var parts = [layers.name]
    if head != layers { parts.append("head \(head)") }
    if embedding != head { parts.append("embedding \(embedding)") }
    return parts.joined(separator: ", ")
  }

  /// The number that the format has for a file of mostly such matrices.
  var fileType: UInt32 {
    switch layers {
    case .f32: 0
    case .f16: 1
    case .q40: 2
    case .q41: 3
    case .q80: 7
    case .q50: 8
    case .q51: 9
    case .q2K: 10
    case .q3K: 12
    case .q4K: 15
    case .q5K: 17
    case .q6K: 18
    case .bf16: 32
    case .mxfp4: 38
    default: 1024  // guessed: the format's word for none of these
    }
  }
}
