package import Foundation

/// The lines of a text file, plain or `.zst`, one after the other in bounded memory.
///
/// A line ends with a line feed, before which a carriage return is dropped; the last line may lack
/// both. A byte order mark at the start of the file is dropped.
package final class LineReader {
  /// The number of the line that `next()` returned last, from 1; 0 before the first.
  package private(set) var lineNumber = 0

  private let path: String
  private let limit: Int
  private let source: any ByteSource
  private let buffer: UnsafeMutableRawBufferPointer
  private var start = 0  // of the bytes in `buffer` not returned yet
  private var end = 0
  private var isAtEnd = false
  private var hasFailed = false

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - maximumLineBytes: The longest line that is accepted, to bound memory.
  ///   - bufferBytes: How much is read at a time.
  /// - Throws: `SpeculateError` if it is missing, no regular file or not readable.
  package init(url: URL, maximumLineBytes: Int = 1 << 26, bufferBytes: Int = 1 << 18) throws {
    precondition(bufferBytes > 0 && maximumLineBytes > 0, "a reader needs room")
    path = url.path
    limit = maximumLineBytes
    source =
      url.pathExtension.lowercased() == "zst"
      ? try ZstdReader(url: url) : try FileDescriptor(reading: url)
    buffer = .allocate(byteCount: bufferBytes, alignment: 16)
  }

  deinit { buffer.deallocate() }

  /// The next line without its end; nil after the last. After an error there are no more lines.
  ///
  /// - Throws: `SpeculateError` naming the file and the line if a line is too long or not UTF-8, or
  ///   the file can't be read further.
  package func next() throws -> String? {
    if hasFailed { return nil }
    hasFailed = true  // unless this call comes to its end
    let line = try line()
    hasFailed = false
    return line
  }

  private func line() throws -> String? {
    var long: [UInt8] = []  // the parts of a line that does not lie in the buffer as a whole
    while true {
      let rest = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
      let newline = rest.firstIndex(of: 0x0A)
      let part = UnsafeRawBufferPointer(rebasing: rest[..<(newline ?? rest.count)])
      guard long.count + part.count <= limit else {
        throw SpeculateError(
          "\(path): line \(lineNumber + 1) is longer than \(limit) bytes; break it up")
      }
      if newline != nil {
        start += part.count + 1
        if long.isEmpty { return try text(part) }
        long.append(contentsOf: part)
        return try long.withUnsafeBytes(text)
      }
      long.append(contentsOf: part)
      start = 0
      end = isAtEnd ? 0 : try source.read(into: buffer)
      if end < buffer.count { isAtEnd = true }
      if end == 0 { return long.isEmpty ? nil : try long.withUnsafeBytes(text) }
    }
  }

  private func text(_ bytes: UnsafeRawBufferPointer) throws -> String {
    lineNumber += 1
    var bytes = bytes
    if bytes.last == 0x0D { bytes = UnsafeRawBufferPointer(rebasing: bytes.dropLast()) }
    let text = lineNumber == 1 ? fileText(bytes) : String(validating: bytes, as: UTF8.self)
    guard let text else {
      throw SpeculateError("\(path): line \(lineNumber) is not valid UTF-8; convert the file")
    }
    return text
  }
}

/// The text of a file in UTF-8 without its byte order mark; nil if it is no UTF-8.
package func fileText(_ bytes: some Collection<UInt8>) -> String? {
  String(validating: bytes.dropFirst(byteOrderMarkCount(bytes)), as: UTF8.self)
}

/// 3 if a byte order mark stands in front of a text in UTF-8, else 0.
package func byteOrderMarkCount(_ bytes: some Collection<UInt8>) -> Int {
  bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
}
