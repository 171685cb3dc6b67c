/// The header of one GGUF file of version 2 or 3, checked completely against the size of the file.
///
/// Layout, little-endian: `GGUF`, the version, the numbers of tensors and of metadata keys, the keys
/// with their values, then of every tensor its name, its shape (fastest dimension first), its type and
/// where it begins, counted from the first multiple of the alignment behind the header. Tensors may
/// leave gaps, but never overlap.
struct GGUFHeader {
  /// One tensor of the file.
  struct Tensor {
    let name: String
    let type: GGUFTensorType
    /// Outermost dimension first.
    let shape: [Int]
    /// Where its bytes lie, counted from the start of the file.
    let bytes: Range<Int>
  }

  /// The tensors, in the order of the header.
  let tensors: [Tensor]
  /// The metadata.
  let metadata: [String: GGUFValue]

  /// What tensors are aligned to where a file doesn't say.
  static let usualAlignment = 32
  /// The key that says it.
  static let alignmentKey = "general.alignment"

  private static let longestKey = 65_535
  private static let mostDimensions = 4

  /// Reads and checks the header of a file.
  ///
  /// - Parameters:
  ///   - contents: The whole file.
  ///   - path: The file's name for messages.
  /// - Throws: `SpeculateError` naming the file, the key or tensor, and the problem.
  init(_ contents: any GGUFContents, path: String) throws {
    func problem(_ text: String) -> SpeculateError {
      SpeculateError(
        "\(path): \(text); the file is damaged or incomplete: download or convert it again")
    }
    let file = contents.bytes
    guard file.count >= 24, file.prefix(4).elementsEqual("GGUF".utf8) else {
      throw SpeculateError("\(path): is no GGUF file; check the path")
    }
    var cursor = GGUFCursor(file, at: 4..<file.count)
    do {
      try Self.checkVersion(try cursor.integer(), path: path)
      let tensorCount: UInt64 = try cursor.integer()
      let keyCount = try cursor.count(of: "metadata keys", atLeast: 13)
      metadata = try Self.metadata(keyCount, &cursor, contents, problem)
      // A tensor takes 24 bytes: the length of its name, dimensions, type and offset.
      guard tensorCount <= UInt64(cursor.left / 24) else {
        throw problem(
          "\(tensorCount) tensors don't fit into the \(cursor.left) bytes that follow")
      }
      let alignment = try Self.alignment(metadata, problem)
      var outlines: [Outline] = []
      for index in 0..<Int(tensorCount) {
        outlines.append(try Outline(&cursor, index: index, problem))
      }
      let start = (cursor.position + alignment - 1) / alignment * alignment
      tensors = try outlines.map {
        try $0.placed(from: start, alignment: alignment, fileSize: file.count, problem)
      }
    } catch let error as GGUFCursor.Problem {
      throw problem(error.text)
    }
    try Self.checkOverlaps(tensors, problem)
  }

  private static func checkVersion(_ version: UInt32, path: String) throws {
    switch version {
    case 2, 3: return
    case 1:
      throw SpeculateError(
        "\(path): is of GGUF version 1, which is not read; convert the model again")
    default:
      if version.byteSwapped <= 3 {
        throw SpeculateError(
          "\(path): is a big-endian GGUF file, which is not read; convert the model again")
      }
      throw SpeculateError(
        "\(path): is of GGUF version \(version), but 2 and 3 are read; convert the model again")
    }
  }

  private static func metadata(
    _ count: Int, _ cursor: inout GGUFCursor, _ contents: any GGUFContents,
    _ problem: (String) -> SpeculateError
  ) throws -> [String: GGUFValue] {
    var metadata: [String: GGUFValue] = [:]
    for index in 0..<count {
      let key: String
      do { key = try cursor.string() } catch let error as GGUFCursor.Problem {
        throw problem("metadata key \(index + 1): \(error.text)")
      }
      guard !key.isEmpty, key.utf8.count <= longestKey else {
        throw problem(
          "metadata key \(index + 1): its name has \(key.utf8.count) bytes, but 1 to \(longestKey) "
            + "are allowed")
      }
      do {
        let value = try cursor.value(of: try cursor.valueType(), in: contents)
        guard metadata.updateValue(value, forKey: key) == nil else {
          throw problem("metadata key \(quoted(key)) appears twice")
        }
      } catch let error as GGUFCursor.Problem {
        throw problem("metadata key \(quoted(key)): \(error.text)")
      }
    }
    return metadata
  }

  private static func alignment(
    _ metadata: [String: GGUFValue], _ problem: (String) -> SpeculateError
  ) throws -> Int {
    guard let value = metadata[alignmentKey] else { return usualAlignment }
    guard let alignment = value.integer, alignment > 0, alignment <= 1 << 30,
      alignment & (alignment - 1) == 0
    else {
      throw problem("metadata key \"\(alignmentKey)\" is not a power of two up to 2^30")
    }
    return alignment
  }

  private static func checkOverlaps(
    _ tensors: [Tensor], _ problem: (String) -> SpeculateError
  ) throws {
    var names: Set<String> = []
    for tensor in tensors where !names.insert(tensor.name).inserted {
      throw problem("tensor \(quoted(tensor.name)) appears twice")
    }
    let ordered = tensors.filter { !$0.bytes.isEmpty }.sorted {
      ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
    }
    for (tensor, next) in zip(ordered, ordered.dropFirst())
    where tensor.bytes.upperBound > next.bytes.lowerBound {
      throw problem("tensors \(quoted(tensor.name)) and \(quoted(next.name)) overlap")
    }
  }

  /// What the header says of a tensor.
  private struct Outline {
    let name: String
    let type: GGUFTensorType
    let shape: [Int]
    let byteCount: Int
    let offset: UInt64

    init(
      _ cursor: inout GGUFCursor, index: Int, _ plainProblem: (String) -> SpeculateError
    ) throws {
      do { name = try cursor.string() } catch let error as GGUFCursor.Problem {
        throw plainProblem("the name of tensor \(index + 1): \(error.text)")
      }
      let name = name
      func problem(_ text: String) -> SpeculateError {
        plainProblem("tensor \(quoted(name)): \(text)")
      }
      do {
        let dimensions: UInt32 = try cursor.integer()
        guard dimensions <= mostDimensions else {
          throw problem("has \(dimensions) dimensions, but at most \(mostDimensions) are allowed")
        }
        var sizes: [UInt64] = []
        for _ in 0..<dimensions { sizes.append(try cursor.integer()) }
        let id: UInt32 = try cursor.integer()
        guard let type = GGUFTensorType(id: id) else {
          throw problem("there is no type \(id) of tensors, or it is newer than this program")
        }
        offset = try cursor.integer()
        self.type = type
        var rows = 1
        var shape: [Int] = []
        for size in sizes {
          guard let size = Int(exactly: size) else { throw problem("its shape is too large") }
          shape.append(size)
        }
        guard (shape.first ?? 1).isMultiple(of: type.blockColumns) else {
          throw problem(
            "its rows of \(shape.first ?? 1) are no whole blocks of \(type), which have "
              + "\(type.blockColumns) columns")
        }
        guard let bytesOfRow = type.rowBytes(columns: shape.first ?? 1) else {
          throw problem("its shape is too large")
        }
        for size in shape.dropFirst() {
          let (product, overflow) = rows.multipliedReportingOverflow(by: size)
          guard !overflow else { throw problem("its shape is too large") }
          rows = product
        }
        let (bytes, overflow) = rows.multipliedReportingOverflow(by: bytesOfRow)
        let (_, elementOverflow) = rows.multipliedReportingOverflow(by: shape.first ?? 1)
        guard !overflow, !elementOverflow else { throw problem("its shape is too large") }
        self.shape = shape.reversed()
        byteCount = bytes
      } catch let error as GGUFCursor.Problem {
        throw problem(error.text)
      }
    }

    func placed(
      from start: Int, alignment: Int, fileSize: Int, _ problem: (String) -> SpeculateError
    ) throws -> Tensor {
      guard offset.isMultiple(of: UInt64(alignment)) else {
        throw problem(
          "tensor \(quoted(name)): begins at \(offset), which is no multiple of \(alignment)")
      }
      guard start <= fileSize, offset <= UInt64(fileSize - start),
        byteCount <= fileSize - start - Int(offset)
      else {
        throw problem(
          "tensor \(quoted(name)): its \(byteCount) bytes from \(offset) on end behind the file")
      }
      let first = start + Int(offset)
      return Tensor(name: name, type: type, shape: shape, bytes: first..<first + byteCount)
    }
  }
}
