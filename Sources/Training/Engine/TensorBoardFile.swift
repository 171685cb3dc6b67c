import Files
package import Foundation

/// Writes scalars as a TensorBoard event file.
///
/// The format: records of a length, its checksum, bytes and their checksum (TFRecord), each holding
/// a protocol-buffer `Event` (tensorboard/compat/proto/event.proto). Only scalars are written, and
/// nothing is read back.
package final class TensorBoardFile {
  private let file: FileHandle
  private let url: URL

  /// Makes a new event file in a folder; TensorBoard reads all files of a folder as one run.
  ///
  /// - Parameter step: The first step to be appended: what earlier files say of it and later ones no longer
  ///   counts.
  package init(folder: URL, step: Int, time: Double = Date().timeIntervalSince1970) throws {
    try OutputFolder.make(folder)
    let earlier = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    let hasEarlier = step > 1 || earlier?.isEmpty == false
    let name = "events.out.tfevents.\(Int(time)).\(ProcessInfo.processInfo.processIdentifier)"
    url = folder.appendingPathComponent(name + ".speculate")
    guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
      throw SpeculateError("can't write \(url.path): check the folder and its permissions")
    }
    do {
      file = try FileHandle(forWritingTo: url)
    } catch {
      throw SpeculateError("can't write \(url.path): \(systemReason(error))")
    }
    var version = Message(time: time, step: 0)
    version.text(field: 3, "brain.Event:2")
    try append(version)
    guard hasEarlier else { return }
    var start = Message(time: time, step: step)
    start.message(field: 7, Message.sessionStart)
    try append(start)
  }

  deinit { try? file.close() }

  package func append(
    step: Int, scalars: [(tag: String, value: Double)], time: Double = Date().timeIntervalSince1970
  ) throws {
    var summary = Message()
    for scalar in scalars {
      var value = Message()
      value.text(field: 1, scalar.tag)
      value.float(field: 2, Float(scalar.value))
      summary.message(field: 1, value)
    }
    var event = Message(time: time, step: step)
    event.message(field: 5, summary)
    try append(event)
  }

  private func append(_ message: Message) throws {
    var record = Data()
    withUnsafeBytes(of: UInt64(message.bytes.count).littleEndian) { record.append(contentsOf: $0) }
    record.append(CRC32C.masked(record))
    record.append(message.bytes)
    record.append(CRC32C.masked(message.bytes))
    do {
      try file.write(contentsOf: record)
    } catch {
      throw SpeculateError("can't write \(url.path): \(systemReason(error))")
    }
  }

  /// A protocol-buffer message that is being written, field by field.
  private struct Message {
    var bytes = Data()

    /// `SessionLog` with status START.
    static var sessionStart: Message {
      var message = Message()
      message.integer(field: 1, 1)
      return message
    }

    init() {}

    init(time: Double, step: Int) {
      key(field: 1, type: 1)
      withUnsafeBytes(of: time.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
      integer(field: 2, UInt64(step))
    }

    mutating func integer(field: UInt64, _ value: UInt64) {
      key(field: field, type: 0)
      variable(value)
    }

    mutating func float(field: UInt64, _ value: Float) {
      key(field: field, type: 5)
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func text(field: UInt64, _ text: String) { content(field: field, Data(text.utf8)) }

    mutating func message(field: UInt64, _ message: Message) {
      content(field: field, message.bytes)
    }

    private mutating func content(field: UInt64, _ content: Data) {
      key(field: field, type: 2)
      variable(UInt64(content.count))
      bytes.append(content)
    }

    private mutating func key(field: UInt64, type: UInt64) { variable(field << 3 | type) }

    private mutating func variable(_ value: UInt64) {
      var rest = value
      while rest > 0x7f {
        bytes.append(UInt8(rest & 0x7f) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    }
  }
}

/// The Castagnoli checksum of TFRecord files. zlib and zstd have other ones.
package enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1
    }
  }

  package static func of(_ data: Data) -> UInt32 {
    ~data.reduce(~0) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
  }

  /// The checksum as TFRecord stores it: rotated and shifted, so that a checksum of data that holds
  /// checksums is not a weak one.
  package static func masked(_ data: Data) -> Data {
    let value = of(data)
    return withUnsafeBytes(of: ((value >> 15 | value << 17) &+ 0xA282_EAD8).littleEndian) {
      Data($0)
    }
  }
}
