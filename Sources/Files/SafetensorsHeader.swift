/// The header of one safetensors file, checked completely against the size of the file.
///
/// Layout: 8 bytes little-endian header length `n`, `n` bytes of JSON, then the data. Every tensor's
/// `data_offsets` count from the end of the header. The checks are those of the reference reader
/// (huggingface/safetensors 0.8): header at most 100 MB, known types, shapes whose bytes are exactly
/// those of the offsets, and offsets that cover the data without a gap or an overlap. A name that
/// appears twice, which the reference lets pass, is refused as well.
struct SafetensorsHeader {
  struct Tensor: Sendable {
    let name: String
    let type: StoredType
    let shape: [Int]
    /// Where its bytes lie, counted from the end of the header.
    let bytes: Range<Int>
  }

  /// The longest header that is accepted, as in the reference reader.
  static let sizeLimit = 100_000_000

  /// The tensors in the order of their data.
  let tensors: [Tensor]
  /// Where the data begins in the file.
  let dataStart: Int
  /// The bytes of all tensors.
  let dataSize: Int
  let metadata: [String: String]

  /// Reads and checks the header of a file.
  ///
  /// - Parameters:
  ///   - file: The whole file.
  ///   - path: The file's name for messages.
  /// - Throws: `SpeculateError` naming the file, the tensor and the problem.
  init(_ file: UnsafeRawBufferPointer, path: String) throws {
    guard file.count >= 8 else {
      throw Self.problem(
        path, file.isEmpty ? "the file is empty" : "\(file.count) bytes are no safetensors file")
    }
    let length = try Self.length(file.loadUnaligned(as: UInt64.self), path)
    guard length <= file.count - 8 else {
      throw Self.problem(path, "the header needs \(length) bytes, but \(file.count - 8) follow")
    }
    try self.init(
      header: UnsafeRawBufferPointer(rebasing: file[8..<8 + length]),
      dataSize: file.count - 8 - length, path: path)
  }

  /// Reads and checks the header of a compressed file, and nothing behind it.
  ///
  /// - Throws: `SpeculateError` as above, and if header or data are larger than `compressedSize`
  ///   compressed bytes can be believed to hold.
  init(_ source: any ByteSource, compressedSize: Int, path: String) throws {
    var word: UInt64 = 0
    let count = try withUnsafeMutableBytes(of: &word) { try source.read(into: $0) }
    guard count == 8 else {
      throw Self.problem(
        path, count == 0 ? "the file is empty" : "\(count) bytes are no safetensors file")
    }
    let length = try Self.length(word, path)
    // Names and shapes shrink to a tenth.
    guard length <= 1 << 20 + 256 * compressedSize else {
      throw Self.problem(
        path, "\(compressedSize) compressed bytes can't hold a header of \(length) bytes")
    }
    var header = [UInt8](repeating: 0, count: length)
    let found = try header.withUnsafeMutableBytes { try source.read(into: $0) }
    guard found == length else {
      throw Self.problem(path, "the header needs \(length) bytes, but \(found) follow")
    }
    try self.init(header: header, dataSize: nil, path: path)
    // A block of at most 128 KiB takes at least 4 bytes.
    guard dataSize >> 17 <= compressedSize else {
      throw Self.problem(
        path, "\(compressedSize) compressed bytes can't hold \(dataSize) bytes of data")
    }
  }

  private static func problem(_ path: String, _ text: String) -> SpeculateError {
    SpeculateError(
      "\(path): \(text); the file is damaged or incomplete: download or convert it again")
  }

  private static func length(_ word: UInt64, _ path: String) throws -> Int {
    let length = UInt64(littleEndian: word)
    guard length <= UInt64(sizeLimit) else {
      throw problem(
        path,
        "the header would be \(length) bytes long, more than \(sizeLimit): not a safetensors file")
    }
    return Int(length)
  }

  /// - Parameter dataSize: The bytes behind the header; nil if only decompressing them could tell.
  private init(header: some Collection<UInt8>, dataSize: Int?, path: String) throws {
    func problem(_ text: String) -> SpeculateError { Self.problem(path, text) }
    let document: JSONValue
    do {
      document = try JSONValue(parsing: header)
    } catch {
      throw problem("header: \(error)")
    }
    guard let members = document.members else { throw problem("the header is not a JSON object") }

    var metadata: [String: String] = [:]
    var tensors: [Tensor] = []
    tensors.reserveCapacity(members.count)
    for (name, member) in members.sorted(by: { $0.key < $1.key }) {
      if name == "__metadata__" {
        metadata = try Self.metadata(member, problem)
      } else {
        tensors.append(try Self.tensor(name, member, dataSize: dataSize, problem))
      }
    }
    tensors.sort {
      ($0.bytes.lowerBound, $0.bytes.upperBound, $0.name)
        < ($1.bytes.lowerBound, $1.bytes.upperBound, $1.name)
    }
    var covered = 0
    var previous: Tensor? = nil
    for tensor in tensors {
      if tensor.bytes.lowerBound < covered, let previous {
        throw problem("tensors \(quoted(previous.name)) and \(quoted(tensor.name)) overlap")
      }
      if tensor.bytes.lowerBound > covered {
        throw problem(
          "\(tensor.bytes.lowerBound - covered) bytes before tensor \(quoted(tensor.name)) "
            + "belong to no tensor")
      }
      covered = tensor.bytes.upperBound
      previous = tensor
    }
    if let dataSize, covered < dataSize {
      throw problem("\(dataSize - covered) bytes at the end belong to no tensor")
    }
    dataStart = 8 + header.count
    self.dataSize = covered
    self.tensors = tensors
    self.metadata = metadata
  }

  private static func metadata(
    _ member: JSONValue, _ problem: (String) -> SpeculateError
  ) throws -> [String: String] {
    if member == .null { return [:] }
    guard let members = member.members else { throw problem("__metadata__ is not an object") }
    return try Dictionary(
      uniqueKeysWithValues: members.map { name, value in
        guard let text = value.text else {
          throw problem("__metadata__: the value of \(quoted(name)) is not a string")
        }
        return (name, text)
      })
  }

  private static func tensor(
    _ name: String, _ member: JSONValue, dataSize: Int?, _ plainProblem: (String) -> SpeculateError
  ) throws -> Tensor {
    func problem(_ text: String) -> SpeculateError {
      plainProblem("tensor \(quoted(name)): \(text)")
    }
    guard member.members != nil else { throw problem("its description is not an object") }
    guard let typeName = member["dtype"]?.text else { throw problem("dtype is missing") }
    guard let type = StoredType(rawValue: typeName) else {
      throw problem("unknown dtype \(quoted(typeName))")
    }
    guard let shapeElements = member["shape"]?.elements else { throw problem("shape is missing") }
    var shape: [Int] = []
    var bits = type.bitCount
    for element in shapeElements {
      guard let size = element.integer, size >= 0 else {
        throw problem("shape has an entry that is not a non-negative integer")
      }
      shape.append(size)
      let (product, overflows) = bits.multipliedReportingOverflow(by: size)
      if overflows { throw problem("shape \(shape) is too large for any file") }
      bits = product
    }
    guard bits % 8 == 0 else {
      throw problem("shape \(shape) of \(typeName) does not end on a whole byte")
    }
    guard let offsets = member["data_offsets"]?.elements, offsets.count == 2,
      let begin = offsets[0].integer, let end = offsets[1].integer, begin >= 0
    else { throw problem("data_offsets are not two non-negative integers") }
    guard begin <= end else { throw problem("data_offsets [\(begin), \(end)] run backwards") }
    if let dataSize, end > dataSize {
      throw problem("data_offsets [\(begin), \(end)] reach beyond the \(dataSize) bytes of data")
    }
    guard end - begin == bits / 8 else {
      throw problem(
        "data_offsets [\(begin), \(end)] hold \(end - begin) bytes, but shape \(shape) of "
          + "\(typeName) needs \(bits / 8)")
    }
    return Tensor(name: name, type: type, shape: shape, bytes: begin..<end)
  }
}
