public import Foundation
import Tensors

/// A file of responses that grows while they are made and survives an interruption at any point.
///
/// Little-endian: "SPRESP01", the settings' JSON as length, fingerprint and text, then a record for each
/// response: its fingerprint, prompt length, token count, and 32-bit tokens. What an interruption
/// left half-written at the end is cut off.
public final class ResponseFile {
  /// What the responses depend on.
  public let settings: ResponseSettings
  /// All responses, in the order of their numbers.
  public private(set) var responses: [Response] = []

  private let url: URL
  private let file: FileHandle
  private static let magic = Array("SPRESP01".utf8)

  /// Opens a file, or makes it.
  ///
  /// - Throws: When it was made with other settings, is no such file, or can't be written.
  public init(url: URL, settings: ResponseSettings) throws {
    self.url = url
    self.settings = settings
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let text = try encoder.encode(settings)
    if !FileManager.default.fileExists(atPath: url.path) {
      try AtomicFile.write(Self.header(text), to: url)
    }
    do {
      file = try FileHandle(forUpdating: url)
    } catch {
      throw SpeculateError("can't write \(url.path): \(error.localizedDescription)")
    }
    guard let content = try file.readToEnd(), content.starts(with: Self.magic) else {
      throw SpeculateError("\(url.path) isn't a file of responses: delete it and start again")
    }
    guard content.starts(with: Self.header(text)) else {
      throw SpeculateError(
        "\(url.path) was made with another target, data or other settings: give the same flags, "
          + "another --output, or delete it")
    }
    let end = content.withUnsafeBytes { read($0, from: Self.header(text).count) }
    if end < content.count { try file.truncate(atOffset: UInt64(end)) }
    try file.seek(toOffset: UInt64(end))
  }

  deinit { try? file.close() }

  /// Appends the response with the next number.
  public func append(_ response: Response) throws {
    var body = Data()
    for value in [Int32(response.promptLength), Int32(response.tokens.count)] + response.tokens {
      withUnsafeBytes(of: value.littleEndian) { body.append(contentsOf: $0) }
    }
    var record = Data()
    let print = body.withUnsafeBytes { FileFingerprint.of(bytes: $0) }
    withUnsafeBytes(of: print.littleEndian) { record.append(contentsOf: $0) }
    do {
      try file.write(contentsOf: record + body)
    } catch {
      throw SpeculateError("can't write \(url.path): \(error.localizedDescription)")
    }
    responses.append(response)
  }

  /// Makes sure that what was appended is on the disk.
  public func flush() throws {
    do {
      try file.synchronize()
    } catch {
      throw SpeculateError("can't write \(url.path): \(error.localizedDescription)")
    }
  }

  private static func header(_ text: Data) -> Data {
    var header = Data(magic)
    let print = text.withUnsafeBytes { FileFingerprint.of(bytes: $0) }
    withUnsafeBytes(of: UInt64(text.count).littleEndian) { header.append(contentsOf: $0) }
    withUnsafeBytes(of: print.littleEndian) { header.append(contentsOf: $0) }
    return header + text
  }

  /// Reads whole records; returns where the first that isn't begins.
  private func read(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    func integer(_ offset: Int) -> Int {
      Int(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
    }
    var offset = start
    while offset + 16 <= bytes.count {
      let (prompt, count) = (integer(offset + 8), integer(offset + 12))
      let end = offset + 16 + 4 * count
      guard prompt >= 0, count >= prompt, end <= bytes.count else { break }
      let body = UnsafeRawBufferPointer(rebasing: bytes[offset + 8..<end])
      let print = UInt64(
        littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      guard FileFingerprint.of(bytes: body) == print else { break }
      let tokens = (0..<count).map { Token(integer(offset + 16 + 4 * $0)) }
      responses.append(Response(tokens: tokens, promptLength: prompt))
      offset = end
    }
    return offset
  }
}
