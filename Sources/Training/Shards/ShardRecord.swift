import Files
import Foundation

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
