import Files
import Foundation

/// The elements after the last whole shard: a file that grows one by one and survives an
/// interruption at any point. What an interruption left half-written at the end is cut off.
///
/// Nothing is written before the first element is appended.
final class ShardTail<Element: ShardElement> {
  private(set) var elements: [Element] = []
  private let url: URL
  private var end = 0  // of whole records
  private var file: FileHandle?

  init(_ url: URL) throws {
    self.url = url
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    do {
      let content = try Data(contentsOf: url)
      (elements, end) = content.withUnsafeBytes { ShardRecord.read($0, from: 0) }
    } catch {
      throw SpeculateError("can't read \(url.path): \(systemReason(error))")
    }
  }

  deinit { try? file?.close() }

  func append(_ element: Element) throws {
    var record = Data()
    ShardRecord.append(element, to: &record)
    try writing { try $0.write(contentsOf: record) }
    elements.append(element)
  }

  /// Makes sure that what was appended is on the disk.
  func flush() throws { if file != nil { try writing { try $0.synchronize() } } }

  func remove() { try? FileManager.default.removeItem(at: url) }

  private func writing(_ body: (FileHandle) throws -> Void) throws {
    do {
      try body(try file ?? open())
    } catch {
      throw SpeculateError("can't write \(url.path): \(systemReason(error))")
    }
  }

  private func open() throws -> FileHandle {
    if !FileManager.default.fileExists(atPath: url.path) { try Data().write(to: url) }
    let file = try FileHandle(forUpdating: url)
    try file.truncate(atOffset: UInt64(end))
    try file.seek(toOffset: UInt64(end))
    self.file = file
    return file
  }
}

/// Elements as bytes.
///
/// Little-endian: a fingerprint of what follows in 64 bits, and the element's numbers in 32 bits
/// each, the third of which says how many follow it.
enum ShardRecord<Element: ShardElement> {
  private static var headCount: Int { 20 }

  static func append(_ element: Element, to data: inout Data) {
    var body = Data()
    for value in element.numbers {
      withUnsafeBytes(of: value.littleEndian) { body.append(contentsOf: $0) }
    }
    let print = body.withUnsafeBytes { FileFingerprint.of(bytes: $0) }
    withUnsafeBytes(of: print.littleEndian) { data.append(contentsOf: $0) }
    data.append(body)
  }

  /// Reads whole records; returns them and where the first that isn't whole begins.
  static func read(
    _ bytes: UnsafeRawBufferPointer, from start: Int
  ) -> (elements: [Element], end: Int) {
    func integer(_ offset: Int) -> Int32 {
      Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    }
    var (elements, offset) = ([Element](), start)
    while offset + headCount <= bytes.count {
      let count = Int(integer(offset + 16))
      let end = offset + headCount + 4 * count
      guard count >= 0, end <= bytes.count else { break }
      let body = UnsafeRawBufferPointer(rebasing: bytes[offset + 8..<end])
      let print = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      guard FileFingerprint.of(bytes: body) == print,
        let element = Element(numbers: stride(from: offset + 8, to: end, by: 4).map(integer))
      else { break }
      elements.append(element)
      offset = end
    }
    return (elements, offset)
  }
}
