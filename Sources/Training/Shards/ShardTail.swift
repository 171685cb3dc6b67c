import Files
import Foundation

/// The elements after the last whole shard: a file that grows one by one, in any order, and survives an
/// interruption at any point. What an interruption left half-written at the end is cut off.
///
/// Little-endian: `SPTAIL02`, a fingerprint of the settings in 64 bits, and records that say which number
/// theirs is. Nothing is written before the first element is appended.
final class ShardTail<Element: ShardElement> {
  /// What it holds, by number.
  private(set) var elements: [Int: Element] = [:]
  private let url: URL
  private let first: Int
  private let head: Data
  private var end = 0  // of whole records
  private var file: FileHandle?

  /// Reads the tail that begins with number `first`, if there is one in the folder.
  init(in folder: URL, first: Int, settings: Element.Settings) throws {
    // A name of its own for every tail: one that a crash left beside its shard is never read.
    url = folder.appendingPathComponent("tail-\(first).bin")
    self.first = first
    head = try Self.head(settings)
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    let content: Data
    do { content = try Data(contentsOf: url) } catch {
      throw SpeculateError("can't read \(url.path): \(systemReason(error))")
    }
    guard content.count >= head.count || !head.starts(with: content) else { return }
    func wrong(_ what: String) -> SpeculateError {
      SpeculateError(
        "\(url.path) \(what): delete it and give the command that made it again, which makes its "
          + "\(Element.kind.name) anew")
    }
    guard content.starts(with: head.prefix(8)) else {
      throw wrong("doesn't number its records: it is damaged or of an earlier version")
    }
    guard content.starts(with: head) else { throw wrong("was made with other settings") }
    let (all, numbers, end) = content.withUnsafeBytes {
      ShardRecord<Element>.read($0, from: head.count, isNumbered: true)
    }
    self.end = end
    for (number, element) in zip(numbers, all) {
      guard number >= first, elements.updateValue(element, forKey: number) == nil else {
        throw wrong("holds a record twice or of another place")
      }
    }
  }

  deinit { try? file?.close() }

  func append(_ element: Element, number: Int) throws {
    var record = Data()
    ShardRecord.append(element, number: number, to: &record)
    try writing { try $0.write(contentsOf: record) }
    elements[number] = element
  }

  /// Makes sure that what was appended is on the disk.
  func flush() throws {
    if file != nil { try writing { try $0.synchronize() } }
  }

  func remove() { try? FileManager.default.removeItem(at: url) }

  /// Removes the tails that a crash left beside the shards made of them.
  func removeOthers() {
    let folder = url.deletingLastPathComponent()
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names
    where name.hasPrefix("tail-") && name.hasSuffix(".bin") && name != url.lastPathComponent {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
  }

  private func writing(_ body: (FileHandle) throws -> Void) throws {
    do {
      try body(try file ?? open())
    } catch {
      throw SpeculateError("can't write \(url.path): \(systemReason(error))")
    }
  }

  private func open() throws -> FileHandle {
    if end == 0 {
      try head.write(to: url)
      end = head.count
    }
    let file = try FileHandle(forUpdating: url)
    try file.truncate(atOffset: UInt64(end))
    try file.seek(toOffset: UInt64(end))
    self.file = file
    return file
  }

  private static func head(_ settings: Element.Settings) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let print = try encoder.encode(settings).withUnsafeBytes(FileFingerprint.of(bytes:))
    return Data("SPTAIL02".utf8) + withUnsafeBytes(of: print.littleEndian) { Data($0) }
  }
}

/// Elements as bytes.
///
/// Little-endian: a fingerprint of what follows in 64 bits, in a tail the element's own number in 32 bits,
/// and the element's numbers in 32 bits each, the third of which says how many follow it.
enum ShardRecord<Element: ShardElement> {
  /// Appends an element, behind its number if one is given.
  static func append(_ element: Element, number: Int? = nil, to data: inout Data) {
    var body = Data()
    for value in (number.map { [Int32(truncatingIfNeeded: $0)] } ?? []) + element.numbers {
      withUnsafeBytes(of: value.littleEndian) { body.append(contentsOf: $0) }
    }
    let print = body.withUnsafeBytes { FileFingerprint.of(bytes: $0) }
    withUnsafeBytes(of: print.littleEndian) { data.append(contentsOf: $0) }
    data.append(body)
  }

  /// Reads whole records, of a tail if they are numbered; returns them, their numbers, and where the first
  /// that isn't whole begins.
  static func read(
    _ bytes: UnsafeRawBufferPointer, from start: Int, isNumbered: Bool = false
  ) -> (elements: [Element], numbers: [Int], end: Int) {
    let lead = isNumbered ? 4 : 0
    func integer(_ offset: Int) -> Int32 {
      Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    }
    var (elements, numbers, offset) = ([Element](), [Int](), start)
    while case let own = offset + 8 + lead, own + 12 <= bytes.count {
      let count = Int(integer(own + 8))
      let end = own + 12 + 4 * count
      guard count >= 0, end <= bytes.count else { break }
      let body = UnsafeRawBufferPointer(rebasing: bytes[offset + 8..<end])
      let print = UInt64(
        littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      guard FileFingerprint.of(bytes: body) == print,
        let element = Element(numbers: stride(from: own, to: end, by: 4).map(integer))
      else { break }
      elements.append(element)
      if isNumbered { numbers.append(Int(integer(offset + 8))) }
      offset = end
    }
    return (elements, numbers, offset)
  }
}
